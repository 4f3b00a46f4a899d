"""Tables of many rows: the page carries the top, the rest costs nothing, and what is shown sorts at once."""

import pandas as pd
import pytest

from tierbook.report.export import TEMPLATE
from tierbook.show import tables
from tierbook.show.words import Words


class Counted:
    """A value that counts how often it is written."""

    written = 0

    def __str__(self):
        Counted.written += 1
        return "value"


def test_rows_that_are_not_shown_are_never_written():
    frame = pd.DataFrame({f"c{n}": [Counted()] * 10_001 for n in range(20)})
    Counted.written = 0
    page = tables.html(frame, Words("en"), file="tables/x.csv")
    assert page.count("<tr>") == 201 and Counted.written == 200 * 20
    assert "200 of 10,001 rows shown; all of them are in <code>tables/x.csv</code>." in page


@pytest.mark.long
@pytest.mark.browser
def test_two_thousand_rows_sort_within_300_milliseconds(browser, tmp_path):
    frame = pd.DataFrame({f"c{n}": [(7919 * row + n) % 2_003 for row in range(2_000)] for n in range(19)})
    frame.insert(0, "customer_id", [f"C{(7919 * row) % 2_003:05d}" for row in range(2_000)])
    style, script = ((TEMPLATE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    body = tables.html(frame, Words("en"), rows=2_000)
    page = tmp_path / "x.html"
    page.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><style>{style}</style><body data-sort=s data-filter=f>{body}"
        f"<script>{script}</script>",
        encoding="utf-8",
    )
    tab = browser.new_page()
    # the page's own processor time, which other processes of the machine do not lengthen
    clock = tab.context.new_cdp_session(tab)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    tab.goto(page.as_uri())
    took = {
        column: min((_sorted(tab, clock, column) for _ in range(2)), key=lambda each: each["TaskDuration"])
        for column in (0, 5)
    }
    first = tab.evaluate("document.querySelector('tbody tr').cells[5].textContent")
    tab.close()
    told = {column: {name: f"{1000 * spent:.0f} ms" for name, spent in each.items()} for column, each in took.items()}
    print(f"2,000 rows of 20 columns: {told}")
    assert first == "2,002", "sorted twice: falling"
    # laying 40,000 cells out anew is the browser's own work, and is not counted
    assert max(each["ScriptDuration"] for each in took.values()) < 0.3


def _sorted(tab, clock, column):
    def spent():
        return {each["name"]: each["value"] for each in clock.send("Performance.getMetrics")["metrics"]}

    before = spent()
    tab.evaluate(
        "(column) => { document.querySelectorAll('thead th button')[column].click(); document.body.offsetHeight; }",
        column,
    )
    after = spent()
    return {name: after[name] - before[name] for name in ("TaskDuration", "ScriptDuration", "LayoutDuration")}

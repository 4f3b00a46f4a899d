"""Files written piece by piece, and of customers computed part by part, are those written of all at once."""

import datetime as dt
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest

from tierbook import params, workbook
from tierbook.cache import Cache
from tierbook.report import excel, excel_pages, handoffs, keys, lists, runner, uploads
from tierbook.show.words import Words
from tierbook.workbook import Workbook, warning

SIZE, PART, PIECE = 260, 60, 47
AS_OF = dt.date(2026, 10, 31)
FORMULA = "=cmd()"
ADDED_UP = {"short_and_long.csv": 1e-9}
"""Sums over parts of what a model expects: floats, whose last digits go by the order of adding."""


def tables():
    """Orders and customers of a shop: quarters of a yuan, so that sums are exact; equal net sales; a shared record id."""
    rng = np.random.default_rng(9)
    ids = [FORMULA, "007", *(f"C{n:03d}" for n in range(SIZE - 4)), "客户", "🛒"]
    rows = []
    for place, name in enumerate(ids):
        born = int(rng.integers(20, 900))
        ago = np.unique([born, *rng.integers(0, born, rng.integers(0, 9))])
        rows += [
            f"{name},{AS_OF - dt.timedelta(days=int(days))},{100 if place % 9 == 0 else rng.integers(20, 400) / 4},p{rng.integers(4)}"
            for days in ago
        ]
    people = [
        f"{name},{'yes' if n % 11 == 0 else 'no'},{['Li', 'Wang', ''][n % 3]},{'twice' if n in (3, 200) else f'R{n}'}"
        for n, name in enumerate(ids)
        if n % 13
    ]
    return (
        "customer_id,ordered_at,amount,product\n" + "\n".join(rows) + "\n",
        "customer_id,do_not_contact,owner,record_id\n" + "\n".join(people) + "\n",
    )


def shop(folder, **report):
    for name, text in zip(("orders", "people"), tables(), strict=True):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    source = {"transactions": {"path": str(folder / "orders.csv")}, "customers": {"path": str(folder / "people.csv")}}
    report = {"name": "shop", "languages": ["zh", "en"], "uploads": [*uploads.FORMS], **report}
    return params.parse({"report": report, "as_of": str(AS_OF), "source": source})


def write(month, folder):
    """What the runner writes beside the pages."""
    folder.mkdir()
    handoffs.write_tables(month, folder / "tables")
    excel.write_excel(month, folder)
    lists.write_csv(month, folder / "excel")
    uploads.write_uploads(month, folder)


def same(folder, other):
    """Every file the same byte by byte; of Parquet, whose pieces are its row groups, the rows with all their types."""
    files = [sorted(p.relative_to(place) for p in place.rglob("*") if p.is_file()) for place in (folder, other)]
    assert files[0] == files[1] and len(files[0]) > 5
    for name in files[0]:
        one, two = folder / name, other / name
        if name.suffix == ".parquet":
            assert parquet.read_schema(one).equals(parquet.read_schema(two), check_metadata=True)
            pd.testing.assert_frame_equal(pd.read_parquet(one), pd.read_parquet(two))
        elif name.name in ADDED_UP:
            pd.testing.assert_frame_equal(pd.read_csv(one), pd.read_csv(two), rtol=ADDED_UP[name.name])
        else:
            assert one.read_bytes() == two.read_bytes(), name
    return files[0]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The month and the folder of its files, made of all customers at once."""
    folder = tmp_path_factory.mktemp("pieces")
    month = Workbook(shop(folder), folder / "out")
    write(month, folder / "whole")
    return month, folder / "whole"


@pytest.mark.long
def test_pieces_under_each_other_are_the_whole_file(written, tmp_path, monkeypatch):
    month, whole = written
    monkeypatch.setattr(handoffs, "PIECE", PIECE)
    write(month, tmp_path / "pieces")
    names = same(whole, tmp_path / "pieces")
    assert {"customers.parquet", "customers.xlsx", "customers.en.xlsx", "zoho_accounts.csv"} <= {p.name for p in names}
    # 260 customers, 47 at a time: 6 row groups
    assert parquet.ParquetFile(tmp_path / "pieces" / "tables" / "customers.parquet").metadata.num_row_groups == 6
    assert len(pd.read_csv(tmp_path / "pieces" / "tables" / "customers.csv")) == month.size == SIZE


@pytest.mark.long
def test_a_report_of_parts_is_the_report_of_all_at_once(written, tmp_path, monkeypatch):
    month, whole = written
    monkeypatch.setattr(workbook.parts, "PART", PART)
    monkeypatch.setattr(handoffs, "PIECE", PIECE)
    parted = Workbook(month.params, tmp_path / "out")
    assert len(list(parted.parts())) == 5 and len(list(month.parts())) == 1
    write(parted, tmp_path / "parts")
    same(whole, tmp_path / "parts")


@pytest.mark.long
def test_the_real_ids_beside_a_masked_report_are_the_same_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setenv("TIERBOOK_SALT", "a salt that nobody guesses")
    month = Workbook(shop(tmp_path, mask_customer_ids=True), tmp_path / "out")
    for name, rows in (("whole", handoffs.PIECE), ("pieces", PIECE)):
        for module in (handoffs, keys):
            monkeypatch.setattr(module, "PIECE", rows)
        (tmp_path / name).mkdir()
        keys.write(month, tmp_path / name)
    same(tmp_path / "whole", tmp_path / "pieces")
    key = pd.read_csv(tmp_path / "pieces" / "key.csv")
    assert len(key) == SIZE and set(key["customer_id"]) >= {"客户", "🛒", "C000", "'" + FORMULA}
    assert "R5" in (tmp_path / "pieces" / "uploads" / "zoho_accounts.csv").read_text()


@pytest.mark.parametrize(("most", "piece"), [(259, 47), (260, 260), (261, 100), (1, 259), (100, 1)])
def test_the_customers_for_excel_are_the_first_by_net_sales(tmp_path, monkeypatch, most, piece):
    """One too many of 260, as many as Excel opens, one fewer; ties by id, who has no money last, types as they were."""
    monkeypatch.setattr(handoffs, "PIECE", piece)
    monkeypatch.setattr(lists, "MOST_IN_CSV", most)
    rng = np.random.default_rng(3)
    money = np.where(rng.random(260) < 0.2, np.nan, rng.integers(-3, 30, 260) / 4)
    r = pd.array(rng.integers(1, 6, 260), dtype="Int8")
    r[np.isnan(money)] = pd.NA
    book = pd.DataFrame({"customer_id": [f"C{n:03d}" for n in range(260)], "monetary": money, "r": r})
    kept = Cache(tmp_path)
    kept.keep("book", lambda: book)
    month = SimpleNamespace(book=lambda columns: book[columns], tables=SimpleNamespace(cache=kept))
    found = pd.concat(kept.batches(lists._customers(month), 60), ignore_index=True)
    wanted = book.sort_values(["monetary", "customer_id"], ascending=[False, True], na_position="last")
    pd.testing.assert_frame_equal(found, wanted.head(most).reset_index(drop=True))


@pytest.mark.parametrize(("rows", "more"), [(999, False), (1000, False), (1001, True)])
def test_the_summary_says_where_the_csv_for_excel_ends(monkeypatch, rows, more):
    """Excel opens 1,000 here, and a sheet shows 5."""
    for name, most in (("MOST_ROWS", 5), ("MOST_IN_CSV", 1000)):
        monkeypatch.setattr(excel_pages, name, most)
    listing = lists.Listing("customers", pd.DataFrame(), rows)
    shown = f"5 of {rows:,} rows shown; all of them are in tables/customers.csv"
    first = "; excel/customers.csv has the first 1,000, as many as Excel opens" if more else ""
    assert excel_pages._content(Words("en"), listing) == shown + first
    assert "as many" not in excel_pages._content(Words("en"), listing._replace(name="action_list"))


def test_the_candidates_and_actions_of_the_sheets_are_those_of_the_tables(demo_month):
    """Whom the sheet leaves out asked for it, or is a control; nobody is lost, and each has his owner and action."""
    month = demo_month
    _, candidates, _, actions, _ = lists.listings(month, "en")
    everybody, book = month.upgrade_candidates(), month.book().set_index("customer_id")
    people, planned = month.table("customers"), month.planned().set_index("customer_id")
    flagged = month.flags().query("alert")["customer_id"]
    asked_for_it = people.loc[people["do_not_contact"].fillna(False), "customer_id"]
    controls = [planned.index[planned["held_out"]], flagged[warning.held_out(month, flagged)]]
    silent = set(asked_for_it).union(*controls)
    wanted = everybody[~everybody["customer_id"].isin(silent)]
    assert 0 < len(wanted) < len(everybody), "the shop would show nothing"
    assert candidates.frame["customer_id"].tolist() == wanted["customer_id"].tolist()
    assert (candidates.rows, candidates.left_out) == (len(wanted), len(everybody) - len(wanted))
    for column in ("owner", "action"):
        wanted_column = book.loc[wanted["customer_id"], column].astype(object).fillna("").tolist()
        assert candidates.frame[column].astype(object).fillna("").tolist() == wanted_column
    listed = month.action_list().query("arm == 'treated'")
    assert sorted(actions.frame["customer_id"]) == sorted(listed["customer_id"])
    assert actions.left_out == planned["held_out"].sum() == len(planned) - actions.rows
    order = actions.frame.astype({"owner": object, "channel": object})
    by = ["owner", "channel", "due", "customer_id"]
    pd.testing.assert_frame_equal(order, order.sort_values(by, ignore_index=True, na_position="last"))


def test_frames_under_each_other_have_one_head_and_one_set_of_types(tmp_path):
    """A column without a value in the first piece is text in all; a head stands once, over no rows too."""
    first = pd.DataFrame({"id": ["a"], "owner": [None], "r": pd.array([1], dtype="Int8")})
    then = pd.DataFrame({"id": ["b"], "owner": ["Li"], "r": pd.array([None], dtype="Int8")})
    found = handoffs.as_arrow(iter([first, then])).read_all()
    assert [str(field.type) for field in found.schema] == ["large_string", "large_string", "int8"]
    assert found.to_pylist() == [{"id": "a", "owner": None, "r": 1}, {"id": "b", "owner": "Li", "r": None}]
    handoffs.write_csv(tmp_path / "two.csv", [first, then], lineterminator="\r\n")
    handoffs.write_csv(tmp_path / "none.csv", [first.head(0)])
    assert (tmp_path / "two.csv").read_bytes() == b"id,owner,r\r\na,,1\r\nb,Li,\r\n"
    assert (tmp_path / "none.csv").read_bytes() == b"id,owner,r\n"


@pytest.mark.parametrize(
    ("orders", "customers", "jobs"), [(True, 500_000, 4), (True, 500_001, 1), (True, 1, 4), (False, None, 4)]
)
def test_with_customers_in_parts_pages_are_made_one_at_a_time(orders, customers, jobs):
    """A trial alone has no customers to count."""
    assert runner._at_once(SimpleNamespace(on_orders=orders, size=customers), 4) == jobs


def test_the_runner_has_steps_of_customers_written_and_not_read():
    asked = {}
    month = SimpleNamespace(**{
        step: lambda step=step, **given: asked.update({step: given}) for step in runner.BOOK
    })  # fmt: skip
    run = runner.Run(SimpleNamespace(report=SimpleNamespace(name="x"), as_of=AS_OF), "x.yaml", None, 1)
    runner._compute(
        month, run, SimpleNamespace(set_postfix_str=lambda *_, **__: None, update=lambda: None), runner.BOOK
    )
    lean = {"columns": ["customer_id"]}
    assert asked == {step: lean if step in ("history", "scores", "book") else {} for step in runner.BOOK}


@pytest.mark.long
def test_the_readme_counts_are_added_up_over_pieces(written, tmp_path, monkeypatch):
    """Zoho: everybody is in the file or left out for one reason; the two who share a record id stand in two pieces."""
    month, _ = written
    monkeypatch.setattr(handoffs, "PIECE", PIECE)
    uploads.write_uploads(month, tmp_path)
    found = pd.read_csv(tmp_path / "uploads" / "zoho_accounts.csv", dtype=str)
    told = (tmp_path / "uploads" / "README.txt").read_text(encoding="utf-8-sig")
    people = month.table("customers")
    known = Counter(people["record_id"])
    alone = [name for name, n in known.items() if n == 1]
    assert sorted(found["Record Id"]) == sorted(alone)
    assert f"zoho_accounts.csv: {len(alone)} customers." in told
    assert "Left out: 2 customers with a record id that several customers share." in told
    assert f"Left out: {SIZE - len(people)} customers without a record id" in told

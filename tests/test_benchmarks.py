"""The benchmarks themselves: goals at their boundary, peers that are missing or break, outputs that differ, a whole quick run."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

HERE = Path(__file__).resolve().parent / "benchmarks"
TASKS = ("history", "segments", "value", "campaign", "scores", "needs", "huge", "wide", "reach")


@pytest.fixture(scope="module")
def brick():
    """A module of tests/benchmarks by its name; they stand in no package, so that peers' interpreters can run them."""
    sys.path.insert(0, str(HERE))
    yield importlib.import_module
    sys.path.remove(str(HERE))


@pytest.mark.parametrize(("ours", "verdict"), [(2.5, "reached"), (2.6, "reached"), (2.61, "MISSED")])
def test_a_goal_is_reached_up_to_and_including_its_ratio(brick, ours, verdict):
    taken = brick("rounds").Taken
    # against 2 s at most 1.3 times as much: 2.6 s
    row = brick("table").Row("t", "s", taken(ours, 1.0), "p", taken(2.0, 4.0), most=1.3)
    cells = dict(zip(brick("table").HEAD, row.cells(), strict=True))
    assert cells["goal"].endswith(verdict)
    assert cells["its ÷ ours (CPU)"] == f"{2 / ours:.2f} (4.00)"


def test_memory_has_goals_too(brick):
    taken, row = brick("rounds").Taken, brick("table").Row
    third = row("t", "s", taken(1, 1, 100), "p", taken(1, 1, 250), most_memory=1 / 3)
    assert "MISSED" in third.cells()[7]  # 100 / 250 is 0.4
    assert "reached" in row("t", "s", taken(1, 1, 100), limit=100).cells()[7]
    assert "MISSED" in row("t", "s", taken(1, 1, 101), limit=100).cells()[7]


def test_a_peer_that_is_not_there_keeps_its_row_and_says_why(brick):
    peer = brick("peers").Peer("lib 1.0", None, "could not be installed: no such version")
    row = brick("table").Row("t", "s", brick("rounds").Taken(1, 1), equal="all").against(peer, None, "step")
    assert row.cells()[3:6] == ["lib 1.0", "could not be installed: no such version", "–"]
    assert row.cells()[-1] == "–"


def test_a_peer_that_breaks_is_told_and_ours_that_breaks_is_raised(brick, tmp_path):
    rounds, file = brick("rounds"), tmp_path / "campaign.parquet"
    brick("campaign").draw(400).to_parquet(file)
    sides = {name: rounds.Side("campaign", name, {"file": str(file)}) for name in ("ours", "nobody")}
    found = rounds.race(sides, ["review"], 1, lambda step, results: None)
    assert found["ours"]["review"].wall > 0 and found["ours"]["review"].peak > 50
    assert "nobody" in found["nobody"]
    with pytest.raises(rounds.Broken, match="nobody"):
        rounds.race({"ours": rounds.Side("campaign", "nobody", {})}, ["review"], 1, lambda step, results: None)


def test_summaries_that_differ_stop_the_benchmark(brick):
    history = brick("history")
    ours = pd.DataFrame(
        {"customer_id": ["a", "b"], "repeats": [1, 0], "t_x": [9, 0], "T": [20, 5], "mean_spend": [3.0, None]}
    )
    theirs = pd.DataFrame(
        {
            "customer_id": ["b", "a"],
            "frequency": [0.0, 1],
            "recency": [0.0, 9],
            "T": [5.0, 20],
            "monetary_value": [0.0, 3],
        }
    )
    history.same_summary("history", {"same": ours, "peer": theirs})
    for column in ("frequency", "recency", "T", "monetary_value"):
        other = theirs.assign(**{column: theirs[column] + [0, 0.01]})
        with pytest.raises(AssertionError):
            history.same_summary("history", {"same": ours, "peer": other})


def test_scores_by_rank_need_equal_measures_and_the_same_order(brick):
    # two equal customers (b, c) whom ranks part; theirs count from nought
    ours = pd.DataFrame({"customer_id": list("abcd"), "recency_days": [1, 2, 2, 3], "frequency": 1, "monetary": 5.0})
    ours = ours.assign(r=[5, 4, 4, 1], f=1, m=1)
    theirs = ours[["customer_id", "recency_days", "frequency", "monetary"]].assign(
        r_score=[4, 3, 2, 0], f_score=0, m_score=0
    )
    agreement = brick("segments").agreement
    assert "r 75.0%, f 100.0%, m 100.0%" in agreement({"ours": ours, "retail": theirs})
    with pytest.raises(AssertionError, match="out of order"):
        agreement({"ours": ours, "retail": theirs.assign(r_score=[2, 3, 3, 0])})
    with pytest.raises(AssertionError, match="monetary"):
        agreement({"ours": ours, "retail": theirs.assign(monetary=5.01)})


def test_values_and_parameters_that_differ_stop_the_benchmark(brick):
    alike = brick("value").alike
    mine = pd.DataFrame([{"r": 0.5, "alpha": 10.0, "likelihood": -100.0}])
    assert "likelihood higher by 0.500" in alike(mine, mine.assign(likelihood=-100.5))
    with pytest.raises(AssertionError, match="parameters"):
        alike(mine, mine.assign(r=0.5 * 1.021))  # 2 % is allowed
    with pytest.raises(AssertionError, match="likelihood"):
        alike(mine, mine.assign(likelihood=-99.9))
    values = pd.DataFrame({"clv": np.arange(1.0, 50)})
    with pytest.raises(AssertionError, match="CLV"):
        alike(values, values * 1.04)  # 3 % is allowed


def test_a_table_takes_the_place_of_the_one_before(brick, tmp_path):
    table, page = brick("table"), tmp_path / "page.md"
    page.write_text("# Head\n\nWords.\n")
    for task, size in (("one", "old"), ("two", "kept"), ("one", "new")):
        table.write(page, task, [table.Row("t", size, None)], "0")
    text = page.read_text()
    assert "old" not in text and text.count("<!-- one -->") == 1 and text.startswith("# Head\n\nWords.\n")
    assert text.index("| new |") < text.index("| kept |")


def test_every_peer_is_pinned_and_no_host_is_named(brick):
    pinned = brick("peers").pinned()
    assert set(pinned) == {"lifetimes", "pymc", "retail", "uplift"}
    assert all(re.fullmatch(r"[a-z-]+==[0-9.]+", pin) for pins in pinned.values() for pin in pins)


@pytest.mark.long
def test_all_benchmarks_run_on_small_inputs(tmp_path):
    page = tmp_path / "page.md"
    command = [sys.executable, HERE, "--quick", "--without-peers", "--write", page, *TASKS]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(f"<!-- {task} -->" in page.read_text() for task in TASKS) and "not asked for" in page.read_text()

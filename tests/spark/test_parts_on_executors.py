"""Parts of the customers that Spark's executors work at: what they give and write, and what they leave to the driver."""

import os
import pickle

import pandas as pd
import pytest

from tierbook import params
from tierbook.cache import FRAME
from tierbook.workbook import Workbook

IDS = [f"客{n:02d}" for n in range(12)]


@pytest.fixture(scope="module")
def months(engines, spark_params, tmp_path_factory):
    """The same twelve customers on either engine, in parts of five."""
    folder = tmp_path_factory.mktemp("shop")
    rows = [(name, f"2026-{month:02d}-03", 10 * n + month) for n, name in enumerate(IDS) for month in (3, 7, 9)]
    pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]).to_csv(folder / "orders.csv", index=False)
    tree = {
        "report": {"name": "shop"},
        "as_of": "2026-10-31",
        "source": {"transactions": {"path": str(folder / "orders.csv")}},
    }
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("duckdb", "PART"), ("spark", "EXECUTOR_PART")):
            patch.setattr(f"tierbook.workbook.parts.{size}", 5)
            more = {"engine": spark_params.model_dump()} if name == "spark" else {}
            made[name] = Workbook(params.parse({**tree, **more}), folder / name)
            assert len(list(made[name].parts())) == 3
    return made


def test_each_part_is_worked_at_once_the_first_here_and_the_others_elsewhere(months):
    found = list(months["spark"].by_part(lambda part: (part.history()["customer_id"].tolist(), os.getpid())))
    assert [ids for ids, _ in found] == [IDS[:5], IDS[5:10], IDS[10:]]
    here = os.getpid()
    assert [pid == here for _, pid in found] == [True, False, False]
    assert list(months["duckdb"].by_part(lambda part: os.getpid())) == [here] * 3


def test_what_they_write_is_one_frame_whatever_a_part_knows(months):
    """Only the first part knows a name, only the last a gap: the columns are text and numbers in all."""

    def compute(part):
        found = part.history(columns=["customer_id", "window_net"])
        low, high = found["customer_id"] < "客02", found["customer_id"] > "客10"
        return found.assign(name=found["customer_id"].where(low, None), gap=found["window_net"].where(high))

    frames = {}
    for name, month in months.items():
        month.keep_by_part("made", compute)
        frames[name] = month.read("made")
        kept = sorted(path.name for path in (month.tables.cache.folder / "made" / FRAME).iterdir())
        assert kept == [f"part-{n:05}.parquet" for n in range(3)]
    pd.testing.assert_frame_equal(frames["spark"], frames["duckdb"])
    found = frames["spark"]
    assert found["customer_id"].tolist() == IDS and found["name"].dropna().tolist() == IDS[:2]
    # customer 11 brought 110 + 3, 110 + 7 and 110 + 9
    assert found["gap"].dropna().tolist() == [349.0]


def test_a_step_that_only_a_later_part_asks_for_is_computed_here(months):
    """An executor computes no step of the month: it would do so once for each part, and without Spark."""
    month = months["spark"]

    def ask(part):
        ids = part.history(columns=["customer_id"])["customer_id"]
        if "客11" not in set(ids):
            return 0, os.getpid()
        part.whole.keep("late", lambda: pd.DataFrame({"pid": [os.getpid()]}))
        return len(ids), int(part.whole.read("late")["pid"].iloc[0])

    found = list(month.by_part(ask))
    assert [rows for rows, _ in found] == [0, 0, 2]
    assert found[2][1] == os.getpid() != found[1][1]


def test_a_month_is_sent_without_the_rows_of_its_customers(months):
    month = months["duckdb"]
    month.first_days, month.book()
    sent = pickle.loads(pickle.dumps(month))
    assert "first_days" not in vars(sent) and "_memory" in vars(sent)
    assert sent.alone(IDS[3]).history()["customer_id"].tolist() == IDS[3:4]
    assert sent.book().equals(month.book())

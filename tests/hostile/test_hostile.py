"""Every hostile file is read with the exact account of its generator, or refused in one line that names it."""

import re
from decimal import Decimal

import pandas as pd
import pytest

from hostile.generator import AMOUNTS, AS_OF, AXES, DATES, variants
from tierbook import accounting, params, sources
from tierbook.errors import TierbookError

VARIANTS = list(variants())


def read(engine, variant, folder):
    """Write the files, judge them; the accounting by reason and the judged lines."""
    for name, content in variant.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    spec = {**variant.params, "path": [str(folder / name) for name in variant.params["path"]]}
    tree = params.parse({"report": {"name": "hostile"}, "as_of": AS_OF, "source": {"transactions": spec}})
    raw = sources.read(engine, "transactions", tree.source.transactions, folder / "scratch")
    counted = accounting.judge_transactions(engine, raw, tree, folder / "judged.parquet", None)
    return counted.set_index("reason"), pd.read_parquet(folder / "judged.parquet")


@pytest.mark.parametrize("variant", [v for v in VARIANTS if not v.expected.refused], ids=lambda v: v.name)
def test_every_row_and_cent_is_accounted_for(engine, variant, tmp_path):
    counted, lines = read(engine, variant, tmp_path)
    expected = variant.expected
    assert counted["rows"].to_dict() == expected.rows
    assert {reason: Decimal(str(round(amount, 4))) for reason, amount in counted["amount"].items()} == expected.amounts
    kept = lines[lines["reason"] == "kept"]
    assert frozenset(kept["customer_id"]) == expected.customers
    assert tuple(sorted(map(accounting.day_date, kept["day"]))) == expected.days


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v.expected.refused], ids=lambda v: v.name)
def test_what_cannot_be_read_is_refused_in_one_line(engine, variant, tmp_path):
    with pytest.raises(TierbookError) as caught:
        read(engine, variant, tmp_path)
    line = str(caught.value)
    assert re.search(variant.expected.refused, line), line
    assert "\n" not in line and len(line) < 900
    assert any(name.split("/")[0] in line for name in variant.files)


def test_the_generator_covers_each_axis_and_repeats_itself():
    assert len(VARIANTS) >= 240 and len({v.name for v in VARIANTS}) == len(VARIANTS)
    told = " ".join(v.name for v in VARIANTS)
    assert all(value in told for values in AXES.values() for value in values)
    again = [v for v in variants() if not v.name.endswith("xlsx")]
    assert [v.files for v in again if ".xlsx" not in str(v.files)] == [
        v.files for v in VARIANTS if ".xlsx" not in str(v.files)
    ]
    assert set(DATES) & set(AXES["date"]) and set(AMOUNTS) == set(AXES["amount"])

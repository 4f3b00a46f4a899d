"""`tierbook new` on hostile files: the draft reads to the exact totals, leaves lines open, or one line refuses the file."""

import datetime as dt

import pytest

from hostile.generator import AS_OF, variants
from tierbook import fill_in, params
from tierbook.errors import TierbookError
from tierbook.intake import new
from tierbook.tables import Tables

VARIANTS = list(variants())
EVERYDAY = 90


def drafted(variant, folder):
    """The params file of a variant's files."""
    paths = []
    for name, content in variant.files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        paths.append(path if path.parent == folder else path.parent)
    return new.run(new.Order(paths, folder / "draft.yaml"))


def check(variant, folder):
    expected = variant.expected
    if expected.refused:
        with pytest.raises(TierbookError) as refused:
            written = drafted(variant, folder)
            Tables(params.load(written), folder / "work", []).accounting()
        assert "\n" not in str(refused.value)
        return
    if not expected.rows:  # a header and nothing below it
        with pytest.raises(TierbookError):
            drafted(variant, folder)
        return
    written = drafted(variant, folder)
    if fill_in.open_keys(params.read_yaml(written)):
        return
    tables = Tables(params.load(written, dt.date.fromisoformat(AS_OF)), folder / "work", [])
    found = tables.accounting().set_index("reason")
    assert found["rows"].to_dict() == expected.rows
    assert found["amount"].round(2).to_dict() == {reason: float(money) for reason, money in expected.amounts.items()}


@pytest.mark.parametrize("variant", VARIANTS[::EVERYDAY], ids=lambda v: v.name)
def test_a_draft_reads_to_the_exact_totals(variant, tmp_path):
    check(variant, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
def test_every_draft_reads_to_the_exact_totals(variant, tmp_path):
    check(variant, tmp_path)

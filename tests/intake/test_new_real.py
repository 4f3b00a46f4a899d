"""`tierbook new` on the real files, held against the published row accounts (shared/reference/retail.md)."""

import pytest

from tierbook import fill_in, params
from tierbook.intake import new
from tierbook.tables import Tables

pytestmark = [pytest.mark.real_data, pytest.mark.long]


def account_of(path, folder, *answers):
    written = new.run(new.Order([path], folder / "draft.yaml", answers=answers))
    assert fill_in.open_keys(params.read_yaml(written)) == []
    tree = params.load(written)
    return tree, Tables(tree, folder / "work", []).accounting().set_index("reason")


def test_online_retail_finds_the_sheets_that_overlap(shared_data, tmp_path):
    path = shared_data("online_retail_ii/online_retail_ii_union.parquet")
    tree, found = account_of(path, tmp_path, "as_of=2011-12-09")
    assert (tree.source.transactions.preset, tree.currency) == ("online_retail", "GBP")
    assert found["rows"].sum() == 1_067_370
    assert found.loc["overlap", "rows"] == 22_523 and round(found.loc["overlap", "amount"], 2) == 377_488.45
    assert found.loc["kept", "rows"] == 779_424


def test_cdnow_is_known_by_its_header_line(shared_data, tmp_path):
    tree, found = account_of(shared_data("cdnow/CDNOW_master.txt"), tmp_path)
    assert tree.as_of.isoformat() == "1998-06-30"
    assert found["rows"].to_dict() == {"kept": 69_659} and round(found.loc["kept", "amount"], 2) == 2_500_315.63

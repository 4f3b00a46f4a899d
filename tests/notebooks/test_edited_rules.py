"""An edited scheme, action list or preset shows at the next Run All: the same kernel opens the month again."""

import pytest

import tierbook
from tierbook import params, sources

ORDERS = "buyer,ordered_at,amount\n" + "".join(f"c{n},2026-{n % 10 + 1:02d}-15,{10 + n}\n" for n in range(9))
SCHEME = "names: {big: {en: Big}, rest: {en: Rest}}\nrules: [{name: big, m: 5}, {name: rest}]\n"
ACTIONS = "actions: [{code: call, when: {tier: big}}]\n"
PRESET = "columns: {customer_id: buyer}\n"


@pytest.fixture
def names(tmp_path, monkeypatch):
    """A notebook's names, over files of the test's own."""
    monkeypatch.setenv("TIERBOOK_OUTPUTS", str(tmp_path / "out"))
    monkeypatch.setattr(sources, "PRESETS", tmp_path)
    monkeypatch.setattr(sources.with_preset, "__defaults__", (tmp_path,))
    for name, text in {"orders.csv": ORDERS, "s.yaml": SCHEME, "a.yaml": ACTIONS, "shop.yaml": PRESET}.items():
        (tmp_path / name).write_text(text)
    return dict.fromkeys(params.KEYS) | {
        "report": {"name": "edited"},
        "as_of": "2026-10-31",
        "source": {"transactions": {"path": str(tmp_path / "orders.csv"), "preset": "shop"}},
        "tiers": {"scheme": str(tmp_path / "s.yaml")},
        "actions": str(tmp_path / "a.yaml"),
    }


def kept(names):
    """The folder of the month's kept steps, as Run All opens it."""
    return tierbook.open(names).tables.cache.folder


def test_an_edited_scheme_gives_other_tiers(names, tmp_path):
    first = tierbook.open(names)
    assert first.tables.cache.folder == kept(names) and first.tier_scheme.order == ["big", "rest"]
    (tmp_path / "s.yaml").write_text(SCHEME.replace("m: 5", "m: 4-5").replace("en: Big", "en: Large"))
    again = tierbook.open(names)
    assert again.tables.cache.folder != first.tables.cache.folder
    assert (first.tier_scheme.words["big"]["en"], again.tier_scheme.words["big"]["en"]) == ("Big", "Large")
    # of 5 x 5 x 5 cells, m: 5 takes 25 and m: 4-5 takes 50
    assert ((first.tier_scheme.table == 0).sum(), (again.tier_scheme.table == 0).sum()) == (25, 50)


def test_an_edited_action_list_gives_other_actions(names, tmp_path):
    before = kept(names)
    (tmp_path / "a.yaml").write_text(ACTIONS.replace("call", "visit"))
    assert kept(names) != before
    assert [action["code"] for action in tierbook.open(names).catalogue] == ["visit"]


def test_an_edited_preset_counts_other_rows(names, tmp_path):
    # nine orders, c0 to c8; excluding c3 counts eight
    rows = tierbook.open(names).accounting().set_index("reason")["rows"]
    assert rows["kept"] == 9
    (tmp_path / "shop.yaml").write_text(PRESET + "exclude: {customer_id: [c3]}\n")
    assert tierbook.open(names).accounting().set_index("reason")["rows"]["kept"] == 8


def test_nothing_edited_finds_what_was_kept(names):
    assert kept(names) == kept(names)


def test_make_lab_opens_the_params_it_names(names, tmp_path, monkeypatch):
    """All None: the file of TIERBOOK_PARAMS; a case names its own, and what papermill injects wins over both."""
    (tmp_path / "mine.yaml").write_text(
        "report: {name: mine}\nas_of: 2026-10-31\nsource: {transactions: {preset: demo}}\n"
    )
    monkeypatch.setenv("TIERBOOK_PARAMS", str(tmp_path / "mine.yaml"))
    nothing = dict.fromkeys(params.KEYS)
    assert tierbook.open(nothing).params.report.name == "mine"
    assert tierbook.open(nothing, "params/cases/ecommerce.yaml").params.report.name == "case_ecommerce"
    assert tierbook.open(names).params.source.transactions.preset == "shop"

"""Masked ids: no produced file, page or error holds a real id or the salt; and nothing but the names differs."""

import hashlib
import re
import stat
import zipfile

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tierbook import cache, demo, masking, params
from tierbook.errors import InputError, NotebookFailed, ParamsError, PublishError, TierbookError
from tierbook.insight import overrides
from tierbook.params import ROOT, read_yaml
from tierbook.report import handoffs, keys, runner
from tierbook.tables import Tables
from tierbook.workbook import Workbook

SALT = "a salt that nobody guesses"
ORDERS = (
    "customer_id,ordered_at,amount,order_id\n"
    "13800138001,2026-01-05,10,o1\n"
    "13800138001,2026-02-05,20,13800138001-2\n"
    "li@example.cn,2026-01-06,30,o3\n"
    "散客,2026-01-07,40,o4\n"
    "0123456,2026-01-08,50,o5\n"
    "123456,2026-01-09,60,o6\n"  # has lost its zeros
    "138****8001,2026-01-10,70,o7\n"
    "1.38E+10,2026-01-11,80,o8\n"
    "old@example.cn,2026-01-12,90,o9\n"  # mapped to li@example.cn
    "o10,13800138002,100,2026-01-13\n"  # cells slipped aside: the phone stands where the day should
    "13800138001,2026-01-14,13800138001?,o11\n"
)
REAL = ("1380013800", "example.cn", "0123456", "123456", "138****", "散客", "1.38E")
PLAIN = {"kept": 5, "bad_amount": 1, "bad_date": 1, "damaged_id": 1, "excluded": 1, "lost_zeros": 1, "masked_id": 1}


def mask(name, salt=SALT):
    """The definition, by hand: K- and the first twelve hex digits of SHA-256 over the salt, then the id."""
    return "K-" + hashlib.sha256((salt + name).encode()).hexdigest()[:16]


@pytest.fixture(autouse=True)
def salted(monkeypatch):
    monkeypatch.setenv(masking.ENVIRONMENT, SALT)


def tables(folder, masks=True, name="shop", **more):
    """The few orders above as tables; ``more``: further keys of the orders, or further tables as CSV text."""
    given = {"transactions": ORDERS, "id_map": "from_id,customer_id\nold@example.cn,li@example.cn\n"}
    given |= {key: text for key, text in more.items() if key in params.TABLES}
    source = {table: {"path": str(folder / f"{table}.csv")} for table in given}
    for table, text in given.items():
        (folder / f"{table}.csv").write_text(text)
    source["transactions"] |= {"exclude": {"customer_id": ["散客"]}}
    source["transactions"] |= {key: value for key, value in more.items() if key not in params.TABLES}
    tree = {"report": {"name": name, "mask_customer_ids": masks}, "as_of": "2026-10-31", "source": source}
    return Tables(params.parse(tree), folder / "outputs" / ".work", [])


def lines(read):
    return pd.read_parquet(read.folder / "transactions.parquet").sort_values("net", na_position="first")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_ids_are_judged_as_they_are_and_masked_after(tmp_path):
    read, plain = tables(tmp_path), tables(tmp_path, masks=False)
    assert plain.accounting().query("table == 'transactions'").set_index("reason")["rows"].to_dict() == PLAIN
    columns = ["table", "reason", "rows", "amount"]
    pd.testing.assert_frame_equal(read.accounting()[columns], plain.accounting()[columns])
    found, known = lines(read), lines(plain)
    assert found["reason"].tolist() == known["reason"].tolist()
    assert found["customer_id"].tolist() == [mask(name) for name in known["customer_id"]]
    assert found["excluded_value"].dropna().tolist() == [mask("散客")]
    assert f"{mask('13800138001')}-2" in set(found["order_id"])
    ids = pd.read_parquet(read.folder / "id_map.parquet")
    assert ids[["from_id", "customer_id"]].to_numpy().tolist() == [[mask("old@example.cn"), mask("li@example.cn")]]


def test_the_key_alone_knows_real_ids_and_is_its_owners(tmp_path):
    read = tables(tmp_path)
    for path in read.folder.glob("*.parquet"):
        text = pd.read_parquet(path).to_csv()
        assert any(name in text for name in REAL) == (path.name == "key.parquet"), path.name
    assert (mode(read.folder / "key.parquet"), mode(read.folder)) == (0o600, 0o700)
    named = {
        "13800138001",
        "li@example.cn",
        "old@example.cn",
        "散客",
        "0123456",
        "123456",
        "138****8001",
        "1.38E+10",
        "o10",
    }
    assert read.key().to_dict() == {mask(name): name for name in named}
    assert not any(name in " ".join(map(str, read.accounting()["example"])) for name in REAL)


def test_every_table_that_names_somebody_is_masked_alike(tmp_path):
    who, friend = "13800138001", "li@example.cn"
    given = {
        "customers": f"customer_id,referred_by,record_id\n{who},{friend},R-77\n",
        "leads": f"lead_id,created_at,customer_id\n13800138009,2026-01-01,\n{who},2026-01-01,{who}\n",
        "contacts": f"campaign,customer_id,arm,assigned_at\nc,{who},call,2026-01-01\nc,{mask(friend)},control,2026-01-01\n",
        "surveys": f"customer_id,answered_at,csat\n{who},2026-02-01,5\n138****8001,2026-02-01,5\n",
        "tickets": f"customer_id,opened_at\n{who},2026-02-01\n",
        "visits": f"customer_id,visited_at\n{who},2026-02-01\n",
        "trial": f"customer_id,arm,spend\n{who},mail,1\n{friend},control,2\n",
    }
    read = tables(tmp_path, **given)
    people = read.table("customers")[["customer_id", "referred_by", "record_id"]]
    assert people.to_numpy().tolist() == [[mask(who), mask(friend), mask("R-77")]]
    assert set(read.table("leads")["lead_id"]) == {mask("13800138009"), mask(who)}
    assert set(read.table("contacts")["customer_id"]) == {mask(who), mask(friend)}  # a mask given back is that customer
    for table in ("surveys", "tickets", "visits"):
        assert read.table(table)["customer_id"].tolist() == [mask(who)]
    assert read.table("trial")["customer_id"].tolist() == [mask(who), mask(friend)]
    assert not any(name in read.accounting().to_csv() for name in REAL)


def test_one_salt_one_mask_and_another_salt_no_common_mask(tmp_path, monkeypatch):
    first = tables(tmp_path)
    again = tables(tmp_path, name="shop_2")
    assert set(first.key().index) == set(again.key().index)
    monkeypatch.setenv(masking.ENVIRONMENT, SALT + "!")
    other = tables(tmp_path)
    assert other.folder != first.folder and not set(other.key().index) & set(first.key().index)
    assert other.key().sort_values().tolist() == first.key().sort_values().tolist()


def test_a_salt_of_ones_own_is_made_once_and_kept_from_others(tmp_path, monkeypatch):
    monkeypatch.delenv(masking.ENVIRONMENT)
    first, second = tables(tmp_path).salt, tables(tmp_path).salt
    place = tmp_path / "outputs" / ".keys" / "shop"
    assert first == second == (place / "salt").read_text() and len(first) == 64
    assert [mode(path) for path in (place.parent, place, place / "salt")] == [0o700, 0o700, 0o600]
    assert tables(tmp_path, name="shop_2").salt != first
    assert tables(tmp_path, masks=False, name="plain").salt is None and not (place.parent / "plain").exists()


@pytest.mark.parametrize(("given", "kept"), [("x" * 15, None), ("", None), (None, ""), (None, "abc")])
def test_a_salt_that_is_too_short_is_refused_and_not_told(tmp_path, monkeypatch, given, kept):
    place = tmp_path / ".keys" / "shop"
    if given is None:
        monkeypatch.delenv(masking.ENVIRONMENT)
        place.mkdir(parents=True)
        (place / "salt").write_text(kept)
    else:
        monkeypatch.setenv(masking.ENVIRONMENT, given)
    tree = {"report": {"name": "shop", "mask_customer_ids": True}, "as_of": "2026-10-31", "source": {}}
    with pytest.raises(ParamsError, match="16") as refused:
        masking.salt(params.parse(tree), tmp_path)
    assert "\n" not in str(refused.value) and not any(text and text in str(refused.value) for text in (given, kept))
    monkeypatch.setenv(masking.ENVIRONMENT, "x" * 16)
    assert masking.salt(params.parse(tree), tmp_path) == "x" * 16


def test_customers_who_would_share_a_mask_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(masking, "LENGTH", 0)
    with pytest.raises(InputError, match=r"several customers would share one mask .*TIERBOOK_SALT") as refused:
        tables(tmp_path).accounting()
    assert not any(name in str(refused.value) for name in (*REAL, SALT))


@pytest.mark.parametrize("asked", ["散客", mask("散客")])
def test_customers_are_excluded_by_id_or_by_mask_and_params_show_the_mask(tmp_path, asked):
    read = tables(tmp_path, exclude={"customer_id": [asked]})
    hidden = masking.hidden(read.params, read.salt)
    assert params.dump(hidden)["source"]["transactions"]["exclude"] == {"customer_id": [mask("散客")]}
    assert masking.hidden(hidden, read.salt) == hidden
    assert read.accounting().set_index("reason")["rows"]["excluded"] == 1
    month = Workbook(read.params, tmp_path / "outputs")
    assert month.params == hidden
    told = month.excluded()
    assert told[["column", "value"]].to_numpy().tolist() == [["customer_id", mask("散客")]]


def test_the_fingerprint_knows_the_salt_by_a_mark_alone(tmp_path):
    tree = tables(tmp_path).params
    one, two = (cache.fingerprint(tree, {}, masking.mark(salt)) for salt in (SALT, SALT + "!"))
    assert len({one, two, cache.fingerprint(tree, {})}) == 3
    assert SALT not in masking.mark(SALT) and masking.mark(None) is None


HEAD = "customer_id,ordered_at,amount\n"
FAULTS = {
    "a chain in the id_map": {"id_map": "from_id,customer_id\na@example.cn,b@example.cn\nb@example.cn,c@example.cn\n"},
    "ids where days should be": {"columns": {"ordered_at": "customer_id"}},
    "ids where money should be": {
        "transactions": HEAD + "li@example.cn,2026-01-06,30\n",
        "columns": {"amount": "customer_id"},
    },
    "a line that is cut": {"transactions": ORDERS + '"13800138001,2026-01-05\n'},
    "a cell too many": {"transactions": ORDERS + "13800138001,2026-01-05,1,o,x,y\n"},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_refused_names_nobody(tmp_path, fault):
    with pytest.raises(TierbookError) as refused:
        tables(tmp_path, **FAULTS[fault]).accounting()
    assert not any(name in str(refused.value) for name in (*REAL, SALT)), str(refused.value)


def test_the_key_gives_every_id_back_and_leaves_what_it_does_not_know():
    key = pd.Series({"K-1": "13800138001", "K-2": "li@example.cn"}, dtype="str")
    frame = pd.DataFrame({"customer_id": ["K-2", "K-9", None, "K-1"], "record_id": [None] * 4, "n": range(4)})
    found = masking.unmasked(frame, key)
    assert found["customer_id"].tolist()[:2] == ["li@example.cn", "K-9"] and found["customer_id"][3] == "13800138001"
    assert found["customer_id"].isna().tolist() == [False, False, True, False] and found["record_id"].isna().all()
    assert found["n"].equals(frame["n"]) and masking.unmasked(frame, key.head(0))["customer_id"].equals(
        frame["customer_id"]
    )


def test_overrides_are_given_by_id_and_told_by_mask(tmp_path):
    path, head = tmp_path / "overrides.csv", "customer_id,tier,reason,until\n"
    path.write_text(head + f"li@example.cn,high,x,2026-12-31\n{mask('13800138001')},low,x,2026-12-31\n")
    found = overrides.read_overrides(path, ["high", "low"], SALT)
    assert found["customer_id"].tolist() == [mask("li@example.cn"), mask("13800138001")]
    assert overrides.read_overrides(path, ["high", "low"])["customer_id"].iloc[0] == "li@example.cn"
    path.write_text(head + f"li@example.cn,high,x,2026-12-31\n{mask('li@example.cn')},low,x,2026-12-31\n")
    with pytest.raises(ParamsError, match="stands twice") as refused:
        overrides.read_overrides(path, ["high", "low"], SALT)
    assert "example.cn" not in str(refused.value)
    path.write_text(head + ",high,x,2026-12-31\n")
    with pytest.raises(ParamsError, match="is empty"):
        overrides.read_overrides(path, ["high", "low"], SALT)


def trial(folder):
    """A finished experiment on forty phones: the shortest month that names anybody."""
    rows = [f"1390077{n:04d},{('mail', 'control')[n % 2]},{n % 7}" for n in range(40)]
    (folder / "trial.csv").write_text("\n".join(["customer_id,arm,spend", *rows]) + "\n")
    source = {"trial": {"path": str(folder / "trial.csv")}}
    report = {"name": "trial", "mask_customer_ids": True, "languages": ["zh"]}
    return Workbook(params.parse({"report": report, "as_of": "2026-10-31", "source": source}), folder / "outputs")


def test_the_key_is_put_in_its_place_when_the_report_has_been(tmp_path):
    month, place = trial(tmp_path), tmp_path / "outputs" / ".keys" / "trial" / "2026-10-31"
    for published in (True, False, True):
        try:
            with keys.beside(month, tmp_path / "outputs"):
                assert place.exists() == (published is False or (place / "mine").exists())
                if not published:
                    raise PublishError("the disk is full")
        except PublishError:
            assert (place / "mine").read_text() == "kept by a run that failed"
        else:
            assert not (place / "mine").exists()  # the former one has gone
            (place / "mine").write_text("kept by a run that failed")
            (place / "mine").chmod(0o600)
        assert {path.name for path in place.parent.iterdir()} <= {"2026-10-31", ".superseded"}
    key = pd.read_csv(place / "key.csv", dtype=str)
    assert {name: mask(name) for name in key["customer_id"]} == dict(zip(key["customer_id"], key["mask"], strict=True))
    assert len(key) == 40 and pd.read_csv(place / "key_others.csv").empty
    assert {mode(path) for path in place.rglob("*") if path.is_file()} == {0o600} and mode(place) == 0o700
    assert "real customers" in (place / "README.txt").read_text(encoding="utf-8-sig")


def test_a_list_that_somebody_filled_in_is_kept_when_the_month_is_made_again(tmp_path):
    month, place = trial(tmp_path), tmp_path / "outputs" / ".keys" / "trial" / "2026-10-31"
    for _ in range(3):
        with keys.beside(month, tmp_path / "outputs"):
            pass
        assert not (place / "mine").exists()
        (place / "mine").write_text("filled in")
    shelf = place.parent / ".superseded" / place.name
    assert [(kept / "mine").read_text() for kept in sorted(shelf.iterdir())] == ["filled in"] * 2
    assert mode(shelf.parent) == mode(shelf) == 0o700


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path):
    month, place = trial(tmp_path), tmp_path / "outputs" / ".keys" / "trial"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("a file where the folder should be")
    with pytest.raises(PublishError, match="nothing was published"), keys.beside(month, tmp_path / "outputs"):
        pytest.fail("published without its key")


# --- a whole report -------------------------------------------------------------------------------------------------

STEM = re.compile(r"(?<!\d)1390077\d{4}(?!\d)|kunde\d+@shop\.example|REC77\d{4}")


def shop(folder, masks, **report):
    """300 customers of the demo with phones and e-mails for ids, in every table; params with an exclusion and overrides."""
    made = demo.simulate().tables
    everyone = made["customers"]["customer_id"]
    people = everyone.iloc[:: len(everyone) // 300].head(300)
    names = {old: f"1390077{n:04d}" if n % 2 else f"kunde{n}@shop.example" for n, old in enumerate(people)}
    tree = read_yaml(ROOT / "params" / "demo.yaml")
    tree |= {"gate": {"min_customers": 10}, "targets": {}, "alerts": {"holdout": 0}}
    tree["campaign"] = (tree.get("campaign") or {}) | {"holdout": 0}
    for table, frame in made.items():
        frame = frame.copy()
        if "customer_id" in frame:
            frame = frame[frame["customer_id"].isin(people) | frame["customer_id"].isna()]
            frame["customer_id"] = frame["customer_id"].map(names)
        if table == "customers":
            frame["referred_by"] = frame["referred_by"].map(names)
            frame["record_id"] = [f"REC77{n:04d}" for n in range(len(frame))]
        if table == "leads":
            frame["lead_id"] = [f"1390077{9000 + n}" for n in range(len(frame))]
        frame.to_csv(folder / f"{table}.csv", index=False)
        tree["source"][table] = tree["source"][table] | {"preset": None, "path": str(folder / f"{table}.csv")}
    given = list(names.values())
    tree["source"]["transactions"]["exclude"] = {"customer_id": given[7:9]}
    (folder / "overrides.csv").write_text(f"customer_id,tier,reason,until\n{given[20]},high,contract,2026-12-31\n")
    tree["overrides"] = str(folder / "overrides.csv")
    tree["report"] = {"name": "shop", "mask_customer_ids": masks, "languages": ["zh"], "uploads": ["zoho"], **report}
    return params.parse(tree)


def texts(path):
    """What a file holds, unpacked where it is packed."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return path.read_bytes().decode("utf-8", "replace")


@pytest.mark.long
def test_a_whole_report_names_nobody(tmp_path, monkeypatch, capsys):
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("TIERBOOK_OUTPUTS", str(outputs))
    tree = shop(tmp_path, True, notebooks=["02_segment_customers"])
    runner.run(runner.Run(tree, "shop.yaml", outputs, 1))
    apart, salt = outputs / ".keys", SALT
    report = outputs / "shop" / "2026-10-31"
    assert (report / "customers.xlsx").exists() and not (report / "uploads").exists()
    searched = set()
    for path in sorted(outputs.rglob("*")):
        if path.is_file() and apart not in path.parents and path.name != "key.parquet":
            found, searched = texts(path), searched | {path.suffix}
            assert not STEM.search(found) and salt not in found, (path, STEM.search(found))
    assert {".html", ".csv", ".xlsx", ".json", ".parquet", ".yaml"} <= searched
    assert "K-" in texts(report / "zh" / "index.html")
    place = apart / "shop" / "2026-10-31"
    book = pd.read_parquet(report / "tables" / "customers.parquet")
    key = pd.read_csv(place / "key.csv", dtype=str)
    assert (
        set(key["mask"]) == set(book["customer_id"])
        and [mask(name) for name in key["customer_id"]] == key["mask"].tolist()
    )
    month = Workbook(tree, outputs)
    _lists_with_real_ids(place, report)
    real = key["customer_id"].iloc[0]
    assert month.card(real)["book"]["customer_id"] == month.card(mask(real))["book"]["customer_id"] == mask(real)
    with pytest.raises(TierbookError) as unknown:
        month.card("13900779999")
    assert not STEM.search(str(unknown.value))
    _failed_notebook_names_nobody(tmp_path, tree, outputs, monkeypatch)
    said = capsys.readouterr()
    assert not STEM.search(said.out + said.err) and salt not in said.out + said.err


def _lists_with_real_ids(place, report):
    listed, shown = (pd.read_csv(folder / "action_list.csv", dtype=str) for folder in (place, report / "tables"))
    assert [mask(name) for name in listed["customer_id"]] == shown["customer_id"].tolist() and len(listed)
    assert listed.drop(columns="customer_id").equals(shown.drop(columns="customer_id"))
    for name in ("alerts", "upgrade_candidates", "next_best", "birthdays"):
        ids = pd.read_csv(place / f"{name}.csv", dtype=str)["customer_id"]
        assert not ids.str.startswith("K-").any()
    assert sorted(path.name for path in (place / "excel").iterdir()) == [
        "action_list.csv", "alerts.csv", "upgrade_candidates.csv",
    ]  # fmt: skip
    assert STEM.search((place / "excel" / "action_list.csv").read_text(encoding="utf-8-sig"))
    assert re.search(r"REC77\d{4}", (place / "uploads" / "zoho_accounts.csv").read_text())
    assert {mode(path) for path in place.rglob("*") if path.is_file()} == {0o600}


def _failed_notebook_names_nobody(folder, tree, outputs, monkeypatch):
    """A notebook that stops with a customer's id in its hands; what it leaves, and the former lists."""
    code = (
        "\n".join(f"{key} = None" for key in params.KEYS),
        "import tierbook\nmonth = tierbook.open(globals())",
        "raise ValueError(month.book()['customer_id'].iloc[0])",
    )
    book = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    book.cells = [new_markdown_cell("# 断", metadata={"tags": ["lang-zh"]}), *map(new_code_cell, code)]
    book.cells[1].metadata["tags"] = ["parameters"]
    (folder / "notebooks").mkdir()
    nbformat.write(book, folder / "notebooks" / "02_segment_customers.ipynb")
    monkeypatch.setattr(runner, "NOTEBOOKS", folder / "notebooks")
    key = outputs / ".keys" / "shop" / "2026-10-31" / "key.csv"
    before = key.stat().st_ino
    with pytest.raises(NotebookFailed, match="K-") as failed:
        runner.run(runner.Run(tree, "shop.yaml", outputs, 1))
    assert not STEM.search(str(failed.value))
    left = [path for path in (outputs / ".failed").rglob("*") if path.is_file()]
    assert any(path.suffix == ".ipynb" for path in left) and not any(STEM.search(texts(path)) for path in left)
    assert key.stat().st_ino == before


@pytest.mark.long
def test_with_masks_every_table_is_what_it_is_without(tmp_path):
    """Nobody is held out by a draw: the draws go by the id in use, and so differ with masks."""
    months = [Workbook(shop(tmp_path, masks), tmp_path / "outputs") for masks in (False, True)]
    plain, masked = (dict(handoffs.tables(month)) for month in months)
    key = months[1].tables.key()
    assert list(plain) == list(masked) and set(key[months[1].book()["customer_id"]]) == set(
        months[0].book()["customer_id"]
    )
    for name, known in plain.items():
        found = masking.unmasked(masked[name], key)
        if "example" in found:  # the first id by sorting: another customer's, once the names are others
            known, found = known.drop(columns="example"), found.drop(columns="example")
        if name == "excluded":
            found = found.assign(value=found["value"].map(key))
        pd.testing.assert_frame_equal(_sorted(found), _sorted(known), check_dtype=False, rtol=1e-6, obj=name)


def _sorted(frame):
    """Rows in the order of their cells: those of lists stand by id where all else is equal."""
    texts = frame.map(lambda cell: f"{cell:.4g}" if isinstance(cell, float) else str(cell))
    return frame.loc[texts.sort_values(list(texts)).index].reset_index(drop=True)

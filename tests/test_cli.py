"""Whatever a user can get wrong ends in one line, the right exit code, and no report."""

import datetime as dt
import subprocess
import sys

import pytest

from tierbook import cli, demo

ORDERS = "customer_id,ordered_at,amount\n" + "".join(
    f"c{n % 7},2026-0{1 + n % 9}-1{n % 9},{10 + n}\n" for n in range(60)
)
PARAMS = """
version: 1
report: {{name: mine, languages: [en]}}
as_of: {as_of}
source:
  transactions: {{path: {path}{more}}}
{rest}
"""


@pytest.fixture
def write(tmp_path):
    """Write an orders file and a params file; returns the params file's path."""

    def make(orders=ORDERS, as_of="2026-10-31", more="", rest="", name="orders.csv"):
        path = tmp_path / name
        if orders is not None:
            path.write_bytes(orders if isinstance(orders, bytes) else orders.encode())
        params = tmp_path / "params.yaml"
        params.write_text(PARAMS.format(as_of=as_of, path=path, more=more, rest=rest))
        return params

    return make


@pytest.fixture
def refused(tmp_path, capsys):
    """Run a command; returns (exit code, the one line on standard error); nothing may have been published."""

    def call(*arguments):
        outputs = tmp_path / "out"
        code = cli.main([*map(str, arguments), "--outputs", str(outputs)])
        said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("tierbook: ")]
        assert not list(outputs.glob("*/*/run.json"))
        assert not (outputs / "index.html").exists()
        return code, said[0] if len(said) == 1 else said

    return call


BAD = {
    "missing file": ({"orders": None}, 2, "no file"),
    "empty file": ({"orders": ""}, 2, "empty"),
    "binary file": ({"orders": b"PK\x03\x04" + bytes(500)}, 2, "not a text file"),
    "no such column": ({"orders": "buyer,ordered_at,amount\nc1,2026-01-01,5\n"}, 2, "no column 'customer_id'"),
    "header only": ({"orders": "customer_id,ordered_at,amount\n"}, 3, "no customer"),
    "no date readable": ({"orders": "customer_id,ordered_at,amount\nc1,13/31/26,5\n"}, 2, "'13/31/26'"),
    "no amount readable": ({"orders": "customer_id,ordered_at,amount\nc1,2026-01-01,much\n"}, 2, "'much'"),
    "as_of before the first order": ({"as_of": "2020-01-31"}, 3, "after_as_of"),
    "unknown key": ({"rest": "tier: {scheme: four_tier}"}, 2, "nearest is 'tiers'"),
    "malformed yaml": ({"rest": "gate: {min_customers: 5"}, 2, "not valid YAML"),
    "unknown scheme": ({"rest": "tiers: {scheme: for_tier}"}, 2, "nearest is 'four_tier'"),
    "unknown preset": ({"more": ", preset: cdnwo"}, 2, "nearest is 'cdnow'"),
    "unknown status column": ({"more": ", count_status: [paid]"}, 2, "no column 'status'"),
    "master without spark": ({"rest": "engine: {master: yarn}"}, 2, "write name: spark"),
}


@pytest.mark.parametrize(
    ("command", "case"), [*[("check", case) for case in BAD], ("run", "header only"), ("run", "unknown key")]
)
def test_bad_input_is_one_line_with_its_exit_code(case, command, write, refused):
    given, exit_code, told = BAD[case]
    code, line = refused(command, write(**given))
    assert code == exit_code
    assert told in line
    assert "Traceback" not in line


def test_a_params_file_that_is_not_there(tmp_path, refused):
    code, line = refused("run", tmp_path / "nowhere.yaml")
    assert code == 2 and "nowhere.yaml does not exist" in line


def test_an_unknown_notebook_names_the_nearest(write, refused):
    code, line = refused("run", write(), "--only", "07_sumarise_month")
    assert code == 2 and "07_summarise_month" in line


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--month", "2026-13"), "not a month"),
        (("--month", "october"), "not a month"),
        (("--as-of", "31.10.2026"), "YYYY-MM-DD"),
    ],
)
def test_dates_on_the_command_line_are_checked(given, told, write, refused):
    code, line = refused("run", write(), *given)
    assert code == 2 and told in line


def test_a_month_that_is_not_over_is_refused():
    today = dt.date.today()
    with pytest.raises(cli.ParamsError, match="not over"):
        cli._as_of(f"{today:%Y-%m}", None)
    assert cli._as_of(None, today.isoformat()) == today
    assert cli._as_of("2024-02", None) == dt.date(2024, 2, 29)


def test_an_outputs_folder_that_is_a_file_is_exit_4(write, tmp_path, capsys):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    assert cli.main(["run", str(write()), "--outputs", str(blocked)]) == 4
    assert "cannot write to" in capsys.readouterr().err


def test_check_prints_the_accounting_and_the_gates(write, tmp_path, capsys):
    assert cli.main(["check", str(write(rest="gate: {min_customers: 5}")), "--outputs", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "kept" in printed and "60" in printed and "min_customers" in printed


@pytest.fixture
def scales_folder(tmp_path, monkeypatch):
    from tierbook.scores import scales

    monkeypatch.setattr(scales, "FOLDER", tmp_path / "scales")
    return scales.FOLDER


def test_scale_prints_its_path_and_what_it_changed(write, tmp_path, scales_folder, capsys):
    outputs = ["--outputs", str(tmp_path / "out")]
    few = "gate: {min_customers: 5}"
    assert cli.main(["scale", str(write(as_of="2026-09-30", rest=few)), *outputs]) == 0
    path, told = capsys.readouterr().out.splitlines()
    assert path == str(scales_folder / "mine.yaml")
    assert told == "first scale of this report, on 7 customers, valid from 2026-09-30"
    assert cli.main(["scale", str(write(as_of="2026-10-31", rest=few)), *outputs]) == 0
    path, told = capsys.readouterr().out.splitlines()
    assert told.startswith("against the scale of 2026-09-30 (7 customers, now 7): recency_days ") and " -> " in told
    assert sorted(file.name for file in scales_folder.iterdir()) == ["mine.2026-09-30.yaml", "mine.yaml"]


def test_scale_says_when_the_params_read_another_one(write, tmp_path, scales_folder, capsys):
    rest = "gate: {min_customers: 5}\nrfm: {scale: params/scales/other.yaml}"
    assert cli.main(["scale", str(write(rest=rest)), "--outputs", str(tmp_path / "out")]) == 0
    assert "rfm.scale = params/scales/other.yaml" in capsys.readouterr().out.splitlines()[-1]


def test_scale_does_not_write_over_a_damaged_one(write, tmp_path, scales_folder, refused):
    scales_folder.mkdir()
    (scales_folder / "mine.yaml").write_text("bins: 5")
    code, line = refused("scale", write(rest="gate: {min_customers: 5}"))
    assert code == 2 and "mine.yaml" in line and "move it away" in line
    assert (scales_folder / "mine.yaml").read_text() == "bins: 5"


def test_demo_writes_every_table(tmp_path, capsys):
    assert cli.main(["demo", str(tmp_path / "demo")]) == 0
    assert {p.stem for p in (tmp_path / "demo").glob("*.csv")} == set(demo.TABLES)


def test_archive_of_nothing_is_a_page_and_of_no_folder_an_error(tmp_path, capsys):
    assert cli.main(["archive", str(tmp_path)]) == 0
    assert (tmp_path / "index.html").exists()
    assert cli.main(["archive", str(tmp_path / "nowhere")]) == 4


def test_the_command_starts_quickly_without_heavy_imports():
    heavy = "import sys, tierbook.cli; sys.exit(any(m in sys.modules for m in ('sklearn', 'matplotlib', 'papermill', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", heavy]).returncode == 0

"""Operations: the monthly script, the workflow and the docs name what there is; the log's lines; versions of params."""

import datetime as dt
import importlib.util
import io
import re
import subprocess

import pytest
import yaml

from tierbook import cli, errors, params
from tierbook.errors import ParamsError
from tierbook.params import ROOT
from tierbook.report import progress, runner

DOCS = [ROOT / "docs" / name for name in ("operations.md", "operations.zh-CN.md")]
WORKFLOW = ROOT / "docs" / "operations" / "monthly.yml"
SHOP = {"report": {"name": "shop"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": "demo"}}}


@pytest.fixture
def monthly(tmp_path, monkeypatch):
    """The script docs/operations/monthly.py, its logs in a folder of the test."""
    spec = importlib.util.spec_from_file_location("monthly", ROOT / "docs" / "operations" / "monthly.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("TIERBOOK_OUTPUTS", str(tmp_path))
    return module


# ---- the monthly script ----


@pytest.mark.parametrize(
    ("today", "month"),
    [("2026-11-02", "2026-10"), ("2026-01-01", "2025-12"), ("2026-03-31", "2026-02"), ("2026-12-31", "2026-11")],
)
def test_the_month_before_todays(monthly, today, month):
    assert monthly.last_month(dt.date.fromisoformat(today)) == month


@pytest.mark.parametrize(
    ("given", "run_with"),
    [
        (["p.yaml"], ["p.yaml", "--month", "2026-10"]),
        (["p.yaml", "--jobs", "1"], ["p.yaml", "--jobs", "1", "--month", "2026-10"]),
        (["p.yaml", "--month", "2026-02"], ["p.yaml", "--month", "2026-02"]),
        (["p.yaml", "--as-of=2026-11-01"], ["p.yaml", "--as-of=2026-11-01"]),
    ],
)
def test_a_good_run_is_silent_and_logged(monthly, monkeypatch, capsys, given, run_with):
    def ran(command, cwd, stdout, stderr):
        assert (command[1:4], command[4:], cwd) == (["-m", "tierbook.cli", "run"], run_with, ROOT)
        stdout.write(b"/outputs/p/index.html\n")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(monthly.subprocess, "run", ran)
    for _ in range(2):
        assert monthly.main(given, dt.date(2026, 11, 2)) == 0
    assert capsys.readouterr() == ("", "")
    assert (monthly.outputs([]) / ".logs" / "p-2026.log").read_text().count("index.html") == 2, (
        "a log is added to, not replaced"
    )


def test_a_failed_run_gives_its_code_and_its_last_line(monthly, capsys):
    assert monthly.main(["params/nowhere.yaml"], dt.date(2026, 11, 2)) == 2
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("tierbook run params/nowhere.yaml --month 2026-10: exit 2, log ")
    assert said[-1] == "tierbook: params file params/nowhere.yaml does not exist"


def test_without_params_it_tells_its_use(monthly, capsys):
    assert monthly.main([], dt.date(2026, 11, 2)) == monthly.main(["--help"], dt.date(2026, 11, 2)) == 2
    assert "monthly.py params/mine.yaml" in capsys.readouterr().out
    assert not (monthly.outputs([]) / ".logs").exists()


def test_logs_lie_where_the_reports_do(monthly, tmp_path, monkeypatch, capsys):
    """The option, else the environment, else the project's; a place that cannot be written is told in one line."""
    assert monthly.outputs(["--jobs", "1", "--outputs", "a"]) == monthly.outputs(["--outputs=a"]) == ROOT / "a"
    assert monthly.outputs([]) == tmp_path
    monkeypatch.delenv("TIERBOOK_OUTPUTS")
    assert monthly.outputs([]) == ROOT / "outputs"
    (tmp_path / "file").write_text("")
    assert monthly.main(["p.yaml", "--outputs", str(tmp_path / "file")], dt.date(2026, 11, 2)) == 4
    assert capsys.readouterr().out.count("\n") == 1


# ---- workflow and docs ----


def test_the_workflow_runs_what_there_is_and_holds_no_secret():
    text = WORKFLOW.read_text(encoding="utf-8")
    flow = yaml.safe_load(text)
    job = flow["jobs"]["report"]
    assert (flow["permissions"], job["env"]) == ({"contents": "read"}, {"PARAMS": "params/demo.yaml"})
    assert (ROOT / job["env"]["PARAMS"]).is_file()
    hooks = flow[True]  # YAML 1.1 reads the key on as true
    assert [len(entry["cron"].split()) for entry in hooks["schedule"]] == [5]
    ready, report = (step["run"] for step in job["steps"] if "run" in step)
    assert ready == "make .venv/.ready" and "READY := $(VENV)/.ready" in (ROOT / "Makefile").read_text()
    assert report.split()[:2] == [".venv/bin/python", "docs/operations/monthly.py"]
    # What a person types in goes through the environment, never into the text of a command.
    assert not any("${{" in step.get("run", "") for step in job["steps"])
    assert all("secrets." not in line.partition("#")[0] for line in text.splitlines())
    kept = [step["with"]["path"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert kept[0] == "outputs/" and ".keys" not in kept[1]


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_the_docs_name_commands_files_and_codes_that_are_there(page):
    text = page.read_text(encoding="utf-8")
    parser = cli._parser()
    commands = next(action for action in parser._actions if action.choices).choices
    assert set(re.findall(r"`tierbook ([a-z]+)", text)) <= set(commands)
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (page.parent / link).exists(), link
    assert "docs/operations/monthly.py params/mine.yaml" in text
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)}
    raised = {kind.exit_code for kind in errors.TierbookError.__subclasses__()}
    assert codes == raised | {0, 130}


def test_both_languages_give_the_same_commands():
    blocks = [re.findall(r"^    (.+)$", page.read_text(encoding="utf-8"), re.M) for page in DOCS]
    assert blocks[0] == blocks[1] and len(blocks[0]) > 5


# ---- the log ----


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self):
        return True


def test_one_line_per_step_where_no_terminal_is(tmp_path, capsys):
    run = runner.Run(params.parse(SHOP), "shop.yaml", tmp_path, jobs=1)
    with run.timed("scores"):
        pass
    run.took("03_estimate_value", 12.345)
    first, second = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d shop 2026-10-31 scores 0\.0 s", first)
    assert second.endswith(" shop 2026-10-31 03_estimate_value 12.3 s")
    assert run.seconds["03_estimate_value"] == 12.345 and "scores" in run.seconds


def test_on_a_terminal_the_bar_speaks_alone(monkeypatch, capsys):
    monkeypatch.setattr(progress.sys, "stderr", Terminal())
    progress.line("shop 2026-10-31", "scores", 1.4)
    assert progress.sys.stderr.getvalue() == "" and not progress.bar("shop 2026-10-31", 3).disable
    monkeypatch.undo()
    assert progress.bar("shop 2026-10-31", 3).disable
    assert capsys.readouterr().err == ""


# ---- versions of params ----


@pytest.mark.parametrize("given", [{}, {"version": 1}, {"version": None}])
def test_a_file_without_a_version_is_one_of_version_1(given):
    assert params.parse({**SHOP, **given}).version == 1


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (2, "version = 2: this tierbook reads version 1; upgrade tierbook"),
        (10**30, "upgrade tierbook"),
        (0, r"version = 0: this tierbook reads version 1 \(no release ever read version 0"),
        (-1, r"version = -1: .*\(versions begin with 1\); change the keys, then write version: 1"),
        ("1", "version = '1' is not a whole number; write version: 1"),
        (1.0, "is not a whole number"),
        (True, "is not a whole number"),
        ([1], "is not a whole number"),
    ],
)
def test_another_version_is_refused_in_one_line_before_its_keys_are_read(version, told):
    with pytest.raises(ParamsError, match=told) as refused:
        params.parse({**SHOP, "version": version, "a_key_of_another_version": 1}, "mine.yaml")
    assert str(refused.value).startswith("mine.yaml: version = ") and "\n" not in str(refused.value)

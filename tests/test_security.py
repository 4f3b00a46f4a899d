"""No code runs from params, YAML, data or the parameters of notebooks; a report stays in its folder; secrets stay out."""

import ast
import contextlib
import functools
import json
import re
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import nbformat
import pandas as pd
import pyarrow.parquet as parquet
import pytest
import yaml

from tierbook import params
from tierbook.engine import Engine, identifier, literal
from tierbook.errors import NotebookFailed, ParamsError, TierbookError
from tierbook.report import runner

LIB = params.ROOT / "lib" / "tierbook"
SECRET = "geheim-4711"
RUNS_CODE = {"eval", "exec", "compile", "__import__", "execfile"}
LOADS_CODE = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
SHELLS = {"os.system", "os.popen", "os.exec", "subprocess.getoutput", "pd.eval", "pd.read_pickle", "np.load"}
UNSAFE_YAML = {"yaml.unsafe_load", "yaml.full_load", "yaml.unsafe_load_all", "yaml.full_load_all", "yaml.UnsafeLoader", "yaml.FullLoader", "yaml.Loader"}  # fmt: skip


@functools.cache
def modules():
    return {path.relative_to(LIB).as_posix(): ast.parse(path.read_text()) for path in sorted(LIB.rglob("*.py"))}


def dotted(node):
    """``a.b.c`` of a name or an attribute, the empty text of anything else."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def dangers(tree):
    """What in a module could run text as code: calls by name, imports, shells, unsafe YAML."""
    for node in ast.walk(tree):
        name = dotted(node.func) if isinstance(node, ast.Call) else ""
        if name in RUNS_CODE or name.startswith(tuple(SHELLS)):
            yield name
        if isinstance(node, ast.Call) and any(k.arg == "shell" for k in node.keywords):
            yield "shell="
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from {part.split(".")[0] for part in named} & LOADS_CODE
        if isinstance(node, ast.Attribute) and dotted(node) in UNSAFE_YAML:
            yield dotted(node)


def test_nothing_in_the_library_runs_text_as_code():
    assert {name: found for name, tree in modules().items() if (found := sorted(set(dangers(tree))))} == {}


@pytest.mark.parametrize(
    "code",
    ["eval('1')", "import pickle", "from joblib import load", "os.system('x')", "run(a, shell=True)", "yaml.full_load(x)", "pd.read_pickle(p)", "yaml.load(x, yaml.Loader)"],
)  # fmt: skip
def test_the_search_for_it_finds_it(code):
    assert list(dangers(ast.parse(code)))


def test_every_yaml_is_read_by_a_safe_loader():
    """``yaml.load`` stands in two places, both with a loader that knows plain values only."""
    calls = {
        (name, ast.unparse(node.keywords[0].value))
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node.func) == "yaml.load"
    }
    assert calls == {("params.py", "_Loader"), ("show/words.py", "getattr(yaml, 'CSafeLoader', yaml.SafeLoader)")}
    assert issubclass(params._Loader, yaml.SafeLoader)


TAGS = ["!!python/object/apply:os.system ['touch {}']", "!!python/object/new:os.system ['touch {}']", "!!python/name:os.system", "!!python/module:os", "!!python/tuple [1]", "!own x"]  # fmt: skip


@pytest.mark.parametrize("tag", TAGS)
def test_a_yaml_tag_makes_nothing(tag, tmp_path):
    (tmp_path / "p.yaml").write_text(f"report: {tag.format(tmp_path / 'made')}\n")
    with pytest.raises(ParamsError, match="line 1 is not valid YAML"):
        params.load(tmp_path / "p.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["p.yaml"]


HOSTILE = ["\"); open('made', 'w'); (\"", "'''\nopen('made', 'w')\n'''", "{{ cell }}", "{% include 'x' %}", "\\", "\n%run x", "!touch made", "$(touch made)", "\u2028x = 1", "é\x00"]  # fmt: skip


def test_parameters_stay_values_in_a_notebook(tmp_path):
    """papermill writes them into a cell as Python: run, it gives back exactly what the params hold."""
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    given = {"report": {"title": {text: text for text in HOSTILE}}, "targets": {"x": float("inf")}, "seed": 7}
    notebook = parameterize_notebook(
        load_notebook_node(str(params.ROOT / "notebooks" / "01_profile_data.ipynb")), given
    )
    [cell] = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    tree = ast.parse(cell.source)
    # float("inf") is the only call that papermill writes
    calls = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert calls == {"float('inf')"} and all(isinstance(node, ast.Assign) for node in tree.body)
    found = {node.targets[0].id: node.value for node in tree.body}
    assert ast.literal_eval(found["report"]) == given["report"]
    nbformat.validate(notebook)


@pytest.mark.parametrize("text", [*HOSTILE, "'; DROP TABLE x; --", '"; DROP TABLE x; --', "''", '""', "a'b\"c"])
def test_text_in_sql_is_a_literal_or_a_name(text):
    text = text.replace("\x00", "")  # the engine's text ends at a NUL; files that hold one are refused
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {literal(text)}").fetchone() == (text,)
        assert connection.execute(f"SELECT 1 AS {identifier(text)}").description[0][0] == text


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/b", "..", ".hidden", "a\\b", "x\n", "-x", "a b", "~", "x" * 81, ""]
)
def test_a_report_cannot_leave_the_outputs(name):
    with pytest.raises(ParamsError, match=r"report\.name"):
        params.parse({"report": {"name": name}, "as_of": "2026-10-31", "source": {}})


@pytest.mark.parametrize("notebook", ["../x", "/etc/passwd", "cases/../../x", "cases/"])
def test_no_notebook_outside_the_project_is_run(notebook):
    tree = {"report": {"name": "x", "notebooks": [notebook]}, "as_of": "2026-10-31", "source": {}}
    with pytest.raises(ParamsError, match="notebook"):
        params.parse(tree)
    with pytest.raises(ParamsError, match="no notebook"):
        runner.chosen(params.parse({"report": {"name": "x"}, "as_of": "2026-10-31", "source": {}}), notebook)


@pytest.mark.parametrize("preset", ["../schemes/eleven", "/etc/x", ".."])
def test_a_preset_is_a_name_under_params_sources(preset):
    with pytest.raises(ParamsError, match="preset"):
        params.parse({"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": {"preset": preset}}})


def test_the_engine_fetches_no_extension_and_reads_no_url(tmp_path):
    engine = Engine(tmp_path)
    try:
        for sql in (
            "SELECT * FROM read_csv('https://example.invalid/x.csv')",
            "SELECT * FROM 's3://x/y.parquet'",
        ):
            with pytest.raises(duckdb.Error) as refused:
                engine.execute(sql)
            assert not re.search("resolve|connect|timed out", str(refused.value).lower()), "it went to the network"
        settings = "autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions"
        assert [engine.execute(f"SELECT current_setting('{name}')").fetchone()[0] for name in settings] == [False] * 3
    finally:
        engine.close()


# --- secrets ----------------------------------------------------------------------------------------------------------


def everywhere(folder: Path) -> bytes:
    """All that lies under a folder: the paths, the bytes, and what archives, workbooks and Parquet hold packed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    packed = [text for path in files for text in unpacked(path)]
    return b"\n".join([*(path.read_bytes() for path in files), *(str(path).encode() for path in files), *packed])


def unpacked(path):
    """The texts within a file that is compressed; none of any other."""
    if path.suffix == ".parquet":
        table = parquet.read_table(path)
        yield repr(table.schema.metadata).encode() + json.dumps(table.to_pydict(), default=str).encode()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (member.encode() + archive.read(member) for member in archive.namelist())


@pytest.mark.parametrize(
    "place",
    [
        {"path": "${SHOP_SECRET}.csv"},
        {"database": "postgresql://u:${SHOP_SECRET}@127.0.0.1:9/x", "table": "t"},
        {"database": "sqlite:///${SHOP_SECRET}.db", "table": "t"},
        {"database": "nonsense://u:${SHOP_SECRET}@h/x", "table": "t"},
        {"database": "postgresql://u:${SHOP_SECRET}@h/x", "table": "t", "query": "SELECT 1"},
        {"database": "postgresql://u:${SHOP_SECRET}@h/x", "table": "t", "pasword": "x"},
    ],
)
def test_a_secret_in_the_environment_is_told_nowhere(place, tmp_path, monkeypatch, capsys):
    """Also where ${NAME} is misused: in a path it is plain text, and a wrong URL is refused without it."""
    from tierbook import cli

    monkeypatch.setenv("SHOP_SECRET", SECRET)
    tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": place}}
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(tree))
    assert cli.main(["check", str(tmp_path / "p.yaml"), "--outputs", str(tmp_path / "out")]) in (2, 3)
    told = capsys.readouterr()
    assert SECRET not in told.out + told.err and told.err.count("\n") == 1
    assert SECRET.encode() not in everywhere(tmp_path)


def test_the_search_finds_a_secret_wherever_it_lies(tmp_path):
    frame = pd.DataFrame({"x": [SECRET] * 50})
    write = {"a.parquet": frame.to_parquet, "a.xlsx": frame.to_excel, "a.html": frame.to_html}
    for name, to in write.items():
        (tmp_path / name).mkdir()
        to(tmp_path / name / name)
        assert SECRET.encode() in everywhere(tmp_path / name), name


@pytest.fixture
def from_a_database(tmp_path, monkeypatch):
    """A params file of a small report whose orders lie in a database, with the secret in its URL."""
    with contextlib.closing(sqlite3.connect(tmp_path / f"{SECRET}.db")) as connection, connection:
        connection.execute("CREATE TABLE orders (customer_id TEXT, ordered_at TEXT, amount TEXT)")
        rows = [(f"c{n % 30}", f"2026-{1 + n % 10:02d}-{1 + n % 28:02d}", "10") for n in range(90)]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    monkeypatch.setenv("SHOP_SECRET", SECRET)
    monkeypatch.setenv("TIERBOOK_OUTPUTS", str(tmp_path / "out"))
    source = {"transactions": {"database": f"sqlite:///{tmp_path}/${{SHOP_SECRET}}.db", "table": "orders"}}
    report = {"name": "x", "languages": ["zh", "en"], "notebooks": ["01_profile_data"]}
    (tmp_path / "p.yaml").write_text(yaml.safe_dump({"report": report, "as_of": "2026-10-31", "source": source}))
    return tmp_path / "p.yaml"


FAILS = 'import os\nos.environ["SHOP_SECRET"] += "-gone"\nmonth.tables.refresh()'
"""A cell that reads the database anew, which is not there any more: the error and its traceback stand in the notebook."""


def failing(folder, source):
    """A copy of a notebook that fails in the cell after its opening."""
    book = nbformat.read(source, as_version=4)
    place = next(n for n, cell in enumerate(book.cells) if "tierbook.open" in cell.source)
    book.cells.insert(place + 1, nbformat.v4.new_code_cell(FAILS))
    folder.mkdir()
    nbformat.write(book, folder / source.name)
    return folder


@pytest.mark.long
def test_a_secret_reaches_no_page_no_failed_notebook_and_no_kept_step(from_a_database, tmp_path, monkeypatch, capfd):
    """A published report from a database whose URL holds the secret; then a run that fails, whose notebook is kept."""
    outputs = tmp_path / "out"
    call = [sys.executable, "-m", "tierbook.cli", "run", str(from_a_database), "--outputs", str(outputs)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-500:]
    published = {path.relative_to(outputs / "x" / "2026-10-31").as_posix() for path in outputs.glob("x/*/**/*")}
    assert {"zh/index.html", "en/index.html", "run.json", "customers.xlsx", "tables/customers.csv"} <= published
    assert SECRET not in done.stdout + done.stderr
    monkeypatch.setattr(
        runner, "NOTEBOOKS", failing(tmp_path / "notebooks", runner.NOTEBOOKS / "01_profile_data.ipynb")
    )
    with pytest.raises(NotebookFailed, match="there is no such file") as failed:
        runner.run(runner.Run(params.load(from_a_database), str(from_a_database), outputs, jobs=1))
    [kept] = outputs.glob(".failed/x/*/notebooks/01_profile_data.ipynb")
    assert "InputError" in kept.read_text(), "the notebook holds the traceback"
    assert SECRET not in str(failed.value) + "".join(capfd.readouterr())
    assert SECRET.encode() not in everywhere(outputs)


def test_a_refusal_is_a_tierbook_error_of_one_line():
    assert str(TierbookError("a\nb\r\nc\u2028d")) == "a b c d"
    assert json.loads(json.dumps(str(TierbookError("x"))))

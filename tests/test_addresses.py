"""The address of a database: where it lies may be told, who reads it and the password never."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierbook.addresses import open_address, shown
from tierbook.errors import ParamsError

WHERE = "source.transactions.database"


def refusal(written):
    with pytest.raises(ParamsError) as caught:
        open_address(written, WHERE)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(WHERE)
    return str(caught.value)


def test_a_whole_url_in_one_variable_is_taken_as_it_is(monkeypatch):
    monkeypatch.setenv("CRM_DATABASE_URL", "postgresql+psycopg://reader:p%40ss@db.example:6432/crm?sslmode=require")
    address = open_address("${CRM_DATABASE_URL}", WHERE)
    assert address.told == "crm on db.example:6432"
    wanted = {"host": "db.example", "port": "6432", "user": "reader", "password": "p@ss", "dbname": "crm"}
    assert address.options == {**wanted, "sslmode": "require"}
    assert "p@ss" not in repr(address) and "reader" not in repr(address)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(str.strip))
def test_a_password_of_its_own_variable_may_hold_any_character(password):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_PASSWORD", password)
        address = open_address("postgres://reader:${CRM_PASSWORD}@db.example/crm", WHERE)
    assert address.options["password"] == password.strip()
    assert address.options["host"] == "db.example" and address.options["dbname"] == "crm"


@pytest.mark.parametrize(
    "written",
    [
        "postgresql://reader:geheim@db.example/crm",
        "postgresql://reader:ge/he@im@db.example/crm",
        "postgresql://reader:geheim${X}@db.example/crm",
        "postgresql://db.example/crm?user=reader&password=geheim",
        "mysql://reader:geheim@db.example/crm",
    ],
)
def test_a_password_in_clear_is_refused_without_being_told(written):
    said = refusal(written)
    assert "write ${NAME}" in said and "geheim" not in said and "reader" not in said


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("CRM_DATABASE_URL", raising=False)
    assert "${CRM_DATABASE_URL} is not set" in refusal("${CRM_DATABASE_URL}")
    monkeypatch.setenv("CRM_DATABASE_URL", "  ")
    assert "${CRM_DATABASE_URL} is not set" in refusal("${CRM_DATABASE_URL}")


@pytest.mark.parametrize(
    "url", ["mysql://reader:geheim@h/crm", "host=h user=reader password=geheim", "reader:geheim@h", "geheim"]
)
def test_another_scheme_is_refused_by_the_three_names(monkeypatch, url):
    monkeypatch.setenv("CRM_DATABASE_URL", url)
    said = refusal("${CRM_DATABASE_URL}")
    assert "only PostgreSQL, SQLite and DuckDB" in said and "geheim" not in said


@pytest.mark.parametrize("password", ["ge/heim", "ge#heim", "12#heim", "12?heim", "ge?heim"])
def test_a_url_cut_by_its_own_password_is_refused_without_a_piece_of_it(monkeypatch, password):
    monkeypatch.setenv("CRM_DATABASE_URL", f"postgresql://reader:{password}@db.example/crm")
    said = refusal("${CRM_DATABASE_URL}")
    assert "/ as %2F" in said and "heim" not in said and "reader" not in said


def test_a_driver_s_message_is_scrubbed_of_whole_and_parts(monkeypatch):
    monkeypatch.setenv("CRM_PASSWORD", "ge heim")
    address = open_address("postgresql://reader:${CRM_PASSWORD}@db.example/crm", WHERE)
    said = address.scrub('no entry for "reader" with "ge heim" or ge%20heim on db.example')
    assert said == 'no entry for "…" with "…" or … on db.example'


def test_a_file_has_three_slashes_and_lies_where_the_project_sees_it(tmp_path, monkeypatch):
    monkeypatch.setenv("FOLDER", f"{tmp_path}/a b")
    found = open_address("sqlite:///${FOLDER}/shop.db", WHERE)
    assert found.options == {"path": f"{tmp_path}/a b/shop.db"}
    assert found.told == "${FOLDER}/shop.db", "what the environment holds is told nowhere"
    assert open_address("duckdb:///data/shop.duckdb", WHERE).told.endswith("/data/shop.duckdb")
    assert "three slashes" in refusal("sqlite://shop.db")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("${CRM_DATABASE_URL}", "${CRM_DATABASE_URL}"),
        ("postgresql://reader:${PW}@db.example:6432/crm?sslmode=require", "db.example:6432/crm"),
        ("postgresql://reader@db.example/crm", "db.example/crm"),
        ("sqlite:///data/shop.db", "data/shop.db"),
        ("duckdb:////srv/shop.duckdb", "/srv/shop.duckdb"),
    ],
)
def test_what_is_shown_of_a_url_is_the_place(written, told):
    assert shown(written) == told

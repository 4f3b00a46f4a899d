"""The address of a database: a URL whose secrets are written ${NAME}, and what of it may be told."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tierbook.errors import ParamsError
from tierbook.params import resolve

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_NAMES = {"postgresql": "postgresql", "postgres": "postgresql", "sqlite": "sqlite", "duckdb": "duckdb"}
_SECRET_OPTIONS = {"password", "sslpassword"}
_FORMS = "postgresql://<host>/<database>, sqlite:///<file> or duckdb:///<file>"


@dataclass(frozen=True)
class Address:
    """An opened URL. ``told``: host and database, or the file; ``options``: libpq's keywords; neither is ever printed
    with a secret in it."""

    scheme: str
    told: str
    options: dict[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def scrub(self, message: str) -> str:
        """A driver's message without user, password or anything else that came from the environment."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            message = message.replace(secret, "…")
        return message


def shown(written: str) -> str:
    """A URL as written in the params, less scheme, user, password and options: it names a place in logs and manifests."""
    return re.sub(r"^[^:/]*:///?", "", written.split("?")[0]).rpartition("@")[2]


def open_address(written: str, where: str) -> Address:
    """Fill in the variables of a URL and take it apart.

    A variable at the start stands for the URL up to there and is taken as it is; elsewhere its value may hold any
    character. Raises `ParamsError`: a password in clear, a variable that is not set, another scheme.
    """
    _refuse_clear_password(written, where)
    values: list[str] = []
    url = _VARIABLE.sub(lambda match: _value(match, where, values), written).strip()
    scheme, found, rest = url.partition("://")
    scheme = _NAMES.get(scheme.lower().partition("+")[0])  # SQLAlchemy writes postgresql+psycopg
    if not found or scheme is None:
        raise ParamsError(f"{where}: only PostgreSQL, SQLite and DuckDB are read; write {_FORMS}")
    if scheme == "postgresql":
        return _server(url, where, tuple(values))
    if not rest.startswith("/"):
        raise ParamsError(f"{where}: a file's URL has three slashes, {scheme}:///<file>, or four for an absolute path")
    file = str(resolve(unquote(rest[1:])))
    told = shown(written) if values else file  # what came from the environment is not told, here as elsewhere
    return Address(scheme, told, {"path": file}, (file, *values) if values else ())


def _refuse_clear_password(written: str, where: str) -> None:
    place, _, options = written.partition("?")
    inside = re.match(r"[^:]*://[^:@/]*:(.*)@", place)
    given = [value for name, value in parse_qsl(options) if name.lower() in _SECRET_OPTIONS]
    given += [inside[1]] if inside else []
    if any(value and not _VARIABLE.fullmatch(value) for value in given):
        raise ParamsError(
            f"{where}: the URL holds a password in clear; write ${{NAME}} in its place and set NAME in the environment"
        )


def _value(match: re.Match, where: str, values: list[str]) -> str:
    value = os.environ.get(match[1], "").strip()
    if not value:
        raise ParamsError(f"{where}: ${{{match[1]}}} is not set in the environment; set {match[1]} before the run")
    values.append(value)
    return value if match.start() == 0 else quote(value, safe="")


def _server(url: str, where: str, values: tuple[str, ...]) -> Address:
    """libpq gets its keywords one by one: given a URL that it cannot read, it would print parts of it."""
    try:
        parts = urlsplit(url)
        split = {"host": parts.hostname, "port": parts.port and str(parts.port)}
    except ValueError:
        parts = None
    if parts is None or parts.fragment or "@" in parts.path or ("@" in parts.query and "@" not in parts.netloc):
        raise ParamsError(
            f"{where}: the URL cannot be read; in user and password write @ as %40, / as %2F, # as %23, ? as %3F"
        )
    split |= {"user": parts.username, "password": parts.password, "dbname": parts.path.lstrip("/")}
    options = {name: unquote(value) for name, value in split.items() if value}
    options |= dict(parse_qsl(parts.query))
    secret = [options.get(name) for name in ("user", *_SECRET_OPTIONS)]
    secret += [*values, parts.username, parts.password, *map(unquote, values)]
    port = f":{options['port']}" if "port" in options else ""
    told = f"{options.get('dbname', 'the default database')} on {options.get('host', 'localhost')}{port}"
    return Address("postgresql", told, options, tuple(dict.fromkeys(s for s in secret if s)))

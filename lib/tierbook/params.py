"""Parameters: read from a papermill parameters file and checked against the typed tree before any kernel starts."""

from __future__ import annotations

import datetime as dt
import glob
import os
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tierbook import fill_in, versions
from tierbook.errors import ParamsError
from tierbook.faults import explain, nearest, one_line
from tierbook.tree import (
    SCHEME,
    Campaign,
    Constant,
    EngineParams,
    Gate,
    Params,
    Product,
    Rfm,
    TableSource,
    Transactions,
    Value,
)

__all__ = [
    "KEYS", "ROOT", "TABLES", "Campaign", "Constant", "EngineParams", "Gate", "Params", "Product", "Rfm", "TableSource", "Transactions", "Value",
    "check", "dump", "from_notebook", "is_there", "load", "nearest", "parse", "read_yaml", "resolve",
]  # fmt: skip

ROOT = Path(__file__).resolve().parents[2]
"""The project's root: relative paths in params resolve from here, wherever the kernel runs."""

Model = TypeVar("Model", bound=BaseModel)
TABLES = ("transactions", "customers", "leads", "contacts", "surveys", "tickets", "visits", "costs", "trial", "id_map")
KEYS = tuple(Params.model_fields)


class _Loader(yaml.SafeLoader):
    """Safe YAML that leaves dates as text, as papermill hands them to a notebook, and refuses a key twice.

    Aliases that hold themselves, or that unfold a few lines into more than `_MOST` values, are refused unread.
    """

    def get_single_node(self):
        node = super().get_single_node()
        if node is not None:
            _unfolded(node, {})
        return node

    def construct_mapping(self, node, deep=False):
        seen = []
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key_node.tag == "tag:yaml.org,2002:merge":  # <<, whose keys give way to those written out
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key!r} stands twice", problem_mark=key_node.start_mark)
            seen.append(key)
        return super().construct_mapping(node, deep)


_MOST = 100_000


def _unfolded(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many values a node holds with every alias written out."""
    if id(node) not in known:
        known[id(node)] = None  # being counted: met again below itself, it is its own part
        children = node.value if isinstance(node, yaml.CollectionNode) else ()
        flat = (part for child in children for part in (child if isinstance(child, tuple) else (child,)))
        known[id(node)] = 1 + sum(_unfolded(part, known) for part in flat)
    if (held := known[id(node)]) is None or held > _MOST:
        what = "an alias (*) stands within its own anchor (&)" if held is None else "aliases (*) unfold without measure"
        raise yaml.MarkedYAMLError(problem=f"{what}; write the values out", problem_mark=node.start_mark)
    return held


_Loader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path, what: str = "params file") -> dict:
    """Read one YAML mapping; anything else is a `ParamsError` of one line that names file and line."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)
    except FileNotFoundError:
        raise ParamsError(f"{what} {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ParamsError(f"{what} {path} cannot be read as UTF-8 text: {one_line(error)}") from None
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise ParamsError(
            f"{what} {path}{place} is not valid YAML: {one_line(getattr(error, 'problem', 0) or error)}"
        ) from None
    if not isinstance(found, dict):
        holds = "is empty" if found is None else "holds no keys"
        raise ParamsError(f"{what} {path} {holds}; write one key: value on each line")
    return found


def load(path: Path, as_of: dt.date | None = None) -> Params:
    """Read and check a params file; ``as_of`` from the command line replaces the file's."""
    tree = read_yaml(path)
    if as_of is not None:
        tree = {**tree, "as_of": as_of.isoformat()}
    return parse(tree, str(path))


def parse(tree: dict[str, Any], where: str = "parameters") -> Params:
    """Check a mapping against the typed tree; the first fault is told in one line with the nearest known key."""
    tree = {key: value for key, value in tree.items() if value is not None}  # null at the top means the default
    if unread := versions.refusal(tree, where):
        raise ParamsError(unread)
    if still_open := fill_in.refusal(tree, where):
        raise ParamsError(still_open)
    if "as_of" not in tree:
        raise ParamsError(
            f"{where}: as_of is missing; there is no clock, so write the last day counted, as_of: YYYY-MM-DD"
        )
    return _stood_in(check(Params, tree, where))


def _stood_in(params: Params) -> Params:
    """The demo shop in place of orders whose file is missing, where params say ``simulated: demo``; its dates too."""
    orders = params.source.transactions
    if orders is None or orders.simulated != "demo" or orders.preset == "demo" or is_there(orders):
        return params
    shop = load(ROOT / "params" / "demo.yaml")
    stand_in = shop.source.transactions.model_copy(update={"simulated": "demo"})
    source = shop.source.model_copy(update={"transactions": stand_in})
    borrowed = {name: getattr(shop, name) for name in ("as_of", "currency", "timezone", "rates")}
    return params.model_copy(update={**borrowed, "source": source})


def is_there(spec: TableSource) -> bool:
    """Whether any file lies where a source points; a database or object storage is taken to be there, and told where not."""
    if spec.database or any(map(SCHEME.match, spec.path or ())):
        return True
    paths = [str(resolve(pattern)) for pattern in spec.path or ()]
    return any(os.path.lexists(path) or glob.glob(path, recursive=True) for path in paths)  # a name too long is no file


def check(model: type[Model], tree: dict[str, Any], where: str) -> Model:
    """Check a mapping against one branch of the tree; a fault is a `ParamsError` of one line that names the key."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        raise ParamsError(f"{where}: {explain(error, model)}") from None


def from_notebook(names: dict[str, Any], otherwise: str = "params/demo.yaml") -> Params:
    """The params of a notebook: its top-level keys as papermill injected them; all ``None``: the file ``otherwise``."""
    given = {key: names[key] for key in KEYS if names.get(key) is not None}
    return parse(given, "notebook parameters") if given else load(resolve(otherwise))


def dump(params: Params) -> dict[str, Any]:
    """The tree as plain JSON values with every default filled in, as papermill accepts them."""
    return params.model_dump(mode="json")


def resolve(path: str) -> Path:
    """A path from params, seen from the project's root."""
    return Path(path) if Path(path).is_absolute() else ROOT / path

"""Parameters: one typed tree, read from a papermill parameters file and checked before any kernel starts."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from tierbook.errors import ParamsError

ROOT = Path(__file__).resolve().parents[2]
"""The project's root: relative paths in params resolve from here, wherever the kernel runs."""

LANGUAGES = ("en", "zh")
TABLES = ("transactions", "customers", "leads", "contacts", "surveys", "tickets", "visits", "costs", "trial", "id_map")


def _text(value: Any) -> Any:
    """YAML reads 007 as 7 and yes as true; a name the user typed without quotes is still a name."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[list[Text], BeforeValidator(_listed)]
Slug = Annotated[Text, Field(pattern=r"^[\w][\w.-]*$", max_length=80)]


class Tree(BaseModel):
    """A branch of the tree: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Product(Tree):
    """A column computed as the product of two columns (quantity × price)."""

    multiply: Annotated[list[Text], Field(min_length=2, max_length=2)]


class TableSource(Tree):
    """Where one input table comes from and how its columns are called there."""

    path: Texts | None = None
    preset: Slug | None = None
    columns: dict[str, Text | Product] = {}
    delimiter: Literal["auto", ",", ";", "\t", "|", "whitespace"] = "auto"
    encoding: Text = "auto"
    names: Texts | None = None  # column names of a file that may lack its header line
    sheet: Texts | None = None  # Excel sheets; null: all
    date_format: Text | None = None  # strptime format of the dates, where the usual forms do not fit


class Transactions(TableSource):
    """The orders, with the cleaning rules that decide which rows count."""

    count_status: Texts | None = None
    duplicates: Literal["keep", "drop_exact"] = "keep"
    refunds: Literal["net", "set_aside"] = "net"
    overlap_by: Text | None = None
    exclude: dict[str, Texts] = {}


class Source(Tree):
    """The input tables; only transactions (or a trial) are needed."""

    transactions: Transactions | None = None
    customers: TableSource | None = None
    leads: TableSource | None = None
    contacts: TableSource | None = None
    surveys: TableSource | None = None
    tickets: TableSource | None = None
    visits: TableSource | None = None
    costs: TableSource | None = None
    trial: TableSource | None = None
    id_map: TableSource | None = None


class Report(Tree):
    """Name, title and languages of the report."""

    name: Slug
    title: dict[Literal["en", "zh"], Text] = {"en": "Customer tiers", "zh": "客户分层月报"}
    languages: Annotated[list[Literal["en", "zh"]], Field(min_length=1)] = ["en", "zh"]
    notebooks: Literal["all"] | list[Slug] = "all"
    mask_customer_ids: bool = False


class EngineParams(Tree):
    """The engine that holds what is per order."""

    name: Literal["duckdb", "spark"] = "duckdb"
    memory_limit: Annotated[Text, Field(pattern=r"^\d+(\.\d+)?\s*(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")] = "4GB"
    master: Text | None = None


class Gate(Tree):
    """What the data must hold before tiers and values are computed from them."""

    min_customers: Annotated[int, Field(ge=1)] = 500
    min_history_days: Annotated[int, Field(ge=0)] = 180
    max_days_since_last_order: Annotated[int, Field(ge=0)] = 30


class Rfm(Tree):
    """How recency, frequency and monetary value are measured and cut."""

    window_days: Annotated[int, Field(ge=1)] = 365
    bins: Annotated[int, Field(ge=2, le=9)] = 5
    method: Literal["quantile", "fixed", "mean"] = "quantile"
    frequency: Literal["orders", "days"] = "orders"
    monetary: Literal["total", "average", "margin"] = "total"
    scale: Text = "auto"
    thresholds: dict[Literal["recency_days", "frequency", "monetary"], list[float]] | None = None

    @model_validator(mode="after")
    def _fixed_needs_thresholds(self) -> Rfm:
        if self.method == "fixed" and not self.thresholds:
            raise ValueError("method: fixed needs thresholds: {recency_days: […], frequency: […], monetary: […]}")
        return self


class Segments(Tree):
    """The map from r × f × m cells to segment names."""

    map: Text = "eleven"


class Tiers(Tree):
    """The tier scheme."""

    scheme: Text = "four_tier"
    hold_months: Annotated[int, Field(ge=0, le=24)] = 0


class Clusters(Tree):
    """k-means on recency, frequency and monetary value."""

    k: Literal["auto"] | Annotated[int, Field(ge=2, le=12)] = "auto"


class Value(Tree):
    """Horizon and discount of customer lifetime value, and the length of the hold-out."""

    horizon_months: Annotated[int, Field(ge=1, le=60)] = 12
    yearly_discount: Annotated[float, Field(ge=0, lt=1)] = 0.10
    holdout_days: Literal["auto"] | Annotated[int, Field(ge=7)] = "auto"


class Alerts(Tree):
    """How many customers each channel can call, and the hold-out of the calls."""

    capacity: dict[Text, Annotated[int, Field(ge=0)]] = {"phone": 200, "sms": 5000}
    cooldown_days: Annotated[int, Field(ge=0)] = 60
    holdout: Annotated[float, Field(ge=0, lt=1)] = 0.10


class Campaign(Tree):
    """How campaigns are judged."""

    control: Text = "control"
    outcomes: list[Text] = ["response", "orders", "spend", "profit"]
    window_days: Annotated[int, Field(ge=1)] = 30
    pre_days: Annotated[int, Field(ge=1)] = 90
    contact_cost: Annotated[float, Field(ge=0)] = 0.01
    tier: Text = "tier"
    tiers: dict[Text, Texts] = {}


class Params(Tree):
    """The whole tree (DESIGN §4); every top-level key is a papermill parameter of every notebook."""

    version: Literal[1] = 1
    report: Report
    as_of: dt.date
    currency: Annotated[Text, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    rates: dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Annotated[float, Field(gt=0)]] = {}
    timezone: Text = "Asia/Shanghai"
    source: Source
    engine: EngineParams = EngineParams()
    gate: Gate = Gate()
    margin: Annotated[float, Field(gt=0, le=1)] | None = None
    targets: dict[Text, float] = {}
    rfm: Rfm = Rfm()
    segments: Segments = Segments()
    tiers: Tiers = Tiers()
    clusters: Clusters = Clusters()
    value: Value = Value()
    alerts: Alerts = Alerts()
    campaign: Campaign = Campaign()
    actions: Text = "params/actions.yaml"
    overrides: Text | None = None
    seed: int = 7


KEYS = tuple(Params.model_fields)


class _Loader(yaml.SafeLoader):
    """Safe YAML that leaves dates as text, as papermill hands them to a notebook, and refuses a key twice."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = [key for n, key in enumerate(keys) if key in keys[:n]]
        if twice:
            raise yaml.YAMLError(f"key {twice[0]!r} stands twice, line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep)


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
        raise ParamsError(f"{what} {path} cannot be read as UTF-8 text: {_one_line(error)}") from None
    except (yaml.YAMLError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise ParamsError(
            f"{what} {path}{place} is not valid YAML: {_one_line(getattr(error, 'problem', 0) or error)}"
        ) from None
    if not isinstance(found, dict):
        raise ParamsError(f"{what} {path} must hold keys and values, not {type(found).__name__}")
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
    if "as_of" not in tree:
        raise ParamsError(
            f"{where}: as_of is missing; there is no clock, so write the last day counted, as_of: YYYY-MM-DD"
        )
    try:
        return Params.model_validate(tree)
    except ValidationError as error:
        raise ParamsError(f"{where}: {_explain(error)}") from None


def from_notebook(names: dict[str, Any]) -> Params:
    """The params of a notebook: its top-level keys as papermill injected them; all ``None`` means the demo."""
    given = {key: names[key] for key in KEYS if names.get(key) is not None}
    return parse(given, "notebook parameters") if given else load(ROOT / "params" / "demo.yaml")


def dump(params: Params) -> dict[str, Any]:
    """The tree as plain JSON values with every default filled in, as papermill accepts them."""
    return params.model_dump(mode="json")


def resolve(path: str) -> Path:
    """A path from params, seen from the project's root."""
    return Path(path) if Path(path).is_absolute() else ROOT / path


def nearest(word: str, known) -> str:
    """A clause that names the nearest known word, or all of them when none is near."""
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f"nearest is {close[0]!r}" if close else f"known: {', '.join(map(str, known))}"


def _explain(error: ValidationError) -> str:
    errors = error.errors(include_url=False)
    unknown = [e for e in errors if e["type"] == "extra_forbidden"]
    first = (unknown or errors)[0]
    spot = ".".join(str(part) for part in first["loc"] if not _is_type_name(part))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 and not unknown else ""
    if first["type"] == "extra_forbidden":
        return f"unknown key {spot!r}; {nearest(first['loc'][-1], _known_keys(first['loc'][:-1]))}"
    if first["type"] == "missing":
        return f"key {spot!r} is missing"
    value = _one_line(repr(first["input"]))[:80]
    return f"{spot} = {value}: {_one_line(first['msg'])}{more}"


def _is_type_name(part: Any) -> bool:
    """Pydantic names the branch of a union in the location of a fault; a user never wrote it."""
    return isinstance(part, str) and bool(
        re.match(r"^(literal|list|dict|function-|str|int|float|Product|constrained)", part)
    )


def _known_keys(location) -> list[str]:
    model: Any = Params
    for part in location:
        if _is_type_name(part):
            continue
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return ["multiply"] if "columns" in location else []
        model = _model_in(field.annotation)
    return list(getattr(model, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in getattr(annotation, "__args__", ()) if (m := _model_in(a)) is not None), None)


def _one_line(text: Any) -> str:
    return re.sub(r"\s+", " ", str(text)).strip()

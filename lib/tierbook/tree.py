"""The typed tree of parameters (DESIGN §4): every key, its type and its default, once."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import zoneinfo
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _text(value: Any) -> Any:
    """YAML reads 007 as 7 and yes as true; a name the user typed without quotes is still a name."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


def _day(value: Any) -> Any:
    """A number is no date: 20261031 would be seconds since 1970."""
    if isinstance(value, dt.date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        return value
    raise ValueError("write a date as YYYY-MM-DD")


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        close = difflib.get_close_matches(value, known, n=1) or ["Asia/Shanghai"]
        if known:  # a machine without a time zone database leaves the check to the engine, which brings its own
            raise ValueError(f"write a time zone such as {close[0]}") from None
    return value


Text = Annotated[str, BeforeValidator(_text)]
Texts = Annotated[list[Text], BeforeValidator(_listed)]
NAME, CODE = r"^[\w][\w.-]*$", r"^[A-Z]{3}$"
NOTEBOOK = r"^(cases/)?[\w][\w.-]*$"
MEMORY = r"^\d+(\.\d+)?\s*(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$"
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")  # of a path in object storage
MASTER = r"^(local(\[(\d+|\*)(,\s*\d+)?\])?|local-cluster\[.+\]|spark://.+|k8s://.+|yarn)$"
SECRET = re.compile(r"secret|password|token|access\.?key", re.IGNORECASE)  # as Spark's own spark.redaction.regex
Share = Annotated[float, Field(ge=0, le=1)]
Zone = Annotated[Text, AfterValidator(_zone)]
Slug = Annotated[Text, Field(pattern=NAME, max_length=80)]
Notebook = Annotated[Text, Field(pattern=NOTEBOOK, max_length=80)]


class Tree(BaseModel):
    """A branch of the tree: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Product(Tree):
    """A column computed as the product of two columns (quantity × price), or of a column and a number (10 a purchase)."""

    multiply: Annotated[list[Text], Field(min_length=2, max_length=2)]


class Constant(Tree):
    """A column that the file lacks because every row has the same: everybody was called."""

    value: Text


class TableSource(Tree):
    """Where one input table comes from and how its columns are called there."""

    path: Texts | None = None
    database: Text | None = None  # URL of PostgreSQL, SQLite or DuckDB; its password as ${NAME}
    table: Text | None = None  # of the database; or the query
    query: Text | None = None
    preset: Slug | None = None
    simulated: Slug | None = None  # stands in where no file lies at path, and every page says so
    columns: dict[str, Text | Product | Constant] = {}
    delimiter: Literal["auto", ",", ";", "\t", "|", "whitespace"] = "auto"
    encoding: Text = "auto"
    names: Texts | None = None  # column names of a file that may lack its header line
    sheet: Texts | None = None  # Excel sheets; null: all
    member: Text | None = None  # the file wanted of a .zip that holds several
    date_format: Text | None = None  # strptime format of the dates, where the usual forms do not fit

    @model_validator(mode="after")
    def _one_place(self) -> TableSource:
        if self.path and self.database:
            raise ValueError("write path or database, not both")
        if (self.table is None) == (self.query is None) and self.database:
            raise ValueError("database needs one of table: <name> and query: <SELECT …>")
        if (self.table or self.query) and not self.database:
            raise ValueError("table and query need database: <URL>")
        return self


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
    notebooks: Literal["all"] | list[Notebook] = "all"
    mask_customer_ids: bool = False
    uploads: list[Literal["zoho", "fxiaoke", "jiandaoyun"]] = []  # files for a CRM's import, under uploads/
    tableau: bool = False  # the book as .hyper too; needs the extra tableau
    calendar: Text | None = "params/calendar.yaml"  # holidays marked in the pictures; null: none


class EngineParams(Tree):
    """The engine that holds what is per order."""

    name: Literal["duckdb", "spark"] = "duckdb"
    memory_limit: Annotated[Text, Field(pattern=MEMORY)] = "4GB"  # of DuckDB, which reads the files on either engine
    master: Annotated[Text, Field(pattern=MASTER)] | None = None  # of Spark; null: local[*], this machine's processors
    conf: dict[Annotated[Text, Field(pattern=r"^spark\.")], Text] = {}  # of Spark; secrets as ${NAME}

    @model_validator(mode="after")
    def _one_engine(self) -> EngineParams:
        if self.name == "duckdb" and (self.master or self.conf):
            raise ValueError("master and conf are for Spark; write name: spark, or take them out")
        clear = next((k for k, value in self.conf.items() if SECRET.search(k) and "${" not in value), None)
        if clear:
            raise ValueError(f"conf: {clear} holds a secret in clear; write ${{NAME}} and set NAME in the environment")
        return self


class Gate(Tree):
    """What the data must hold before tiers and values are computed from them; shares are of rows or of money (0 to 1)."""

    min_customers: Annotated[int, Field(ge=1)] = 500
    min_history_days: Annotated[int, Field(ge=0)] = 180
    max_days_since_last_order: Annotated[int, Field(ge=0)] = 30
    max_unidentified_share: Share = 0.50  # of net sales, without a customer
    max_unreadable_share: Share = 0.01  # of rows, with a date or an amount that cannot be read
    max_damaged_share: Share = 0.01  # of rows, with a damaged, masked or cut id
    max_duplicate_share: Share = 0.02  # of rows, copies of another row
    max_other_currency_share: Share = 0.20  # of rows, in a currency without a rate; any is a warning
    max_impossible_share: Share = (
        0.001  # of rows, with a value that cannot be (a quantity of zero, a cost below zero, …)
    )
    min_month_share: Share = 0.50  # orders of the last whole month over the median of the months before
    max_missing_change: Share = 0.20  # share of empty cells of a column, last month against the months before
    max_finance_gap: Share = 0.005  # net sales of the month against finance's figure
    finance: dict[Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")], float] = {}  # finance's net sales by month
    refuse: list[Text] = ["max_other_currency_share"]  # gates that end the run (exit 3) where they are missed


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
    """The map from r × f × m cells to segment names, and how company sizes given as numbers are put into bands."""

    map: Text = "eleven"
    size_bands: list[Annotated[float, Field(gt=0)]] = [
        20,
        300,
        1000,
    ]  # employees: 工业 in 统计上大中小微型企业划分办法 (2017)

    @model_validator(mode="after")
    def _bands_rise(self) -> Segments:
        if sorted(set(self.size_bands)) != self.size_bands:
            raise ValueError(f"size_bands must rise, as [20, 300, 1000]; not {self.size_bands}")
        return self


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
    tiers: dict[
        Text, Texts
    ] = {}  # tier → the values of the tier column that it stands for; none: the values are the tiers
    shares: dict[Text, Annotated[float, Field(gt=0)]] | None = (
        None  # planned weight of each arm; null: see insight.split
    )
    lower_is_better: list[Text] = []  # outcomes of a trial such as churn: their falls work, their rises harm
    covariates: list[Text] = []  # columns of a trial known before assignment
    guardrails: dict[Literal["opted_out", "refunds", "discount"], Annotated[float, Field(ge=0)]] = {
        "opted_out": 0.02,  # of the customers assigned; the other two as shares of the control's spend
        "refunds": 0.01,
        "discount": 0.01,
    }
    holdout: Literal["auto"] | Annotated[float, Field(ge=0, le=0.5)] = "auto"  # of each action's list, not contacted


class Params(Tree):
    """The whole tree (DESIGN §4); every top-level key is a papermill parameter of every notebook."""

    version: Literal[1] = 1  # others are told by `versions`
    report: Report
    as_of: Annotated[dt.date, BeforeValidator(_day)]
    currency: Annotated[Text, Field(pattern=CODE)] = "CNY"
    rates: dict[Annotated[str, Field(pattern=CODE)], Annotated[float, Field(gt=0)]] = {}
    timezone: Zone = "Asia/Shanghai"
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

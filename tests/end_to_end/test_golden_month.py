"""The golden month: the demo's book and its movement, held row by row against plain SQL over the demo's CSV files.

The SQL is written from docs/definitions.md, docs/decisions/0003 and the YAML of params/ alone. It calls nothing of the
library for its arithmetic, knows neither its frames nor its expressions, and leaves alone what is no plain arithmetic:
customer value, clusters, next_tier, alerts and actions have tests of their own.
"""

import duckdb
import pandas as pd
import pytest
import yaml

from tierbook import demo, params

LABELS = [
    *("first_order", "last_order", "orders", "recency_days", "frequency", "r", "f", "m", "segment", "tier", "trend"),
    *("stage", "previous_tier", "tier_change", "change_cause", "change_reason"),
]
COUNTS = ["customers", "same_month_last_year", "moved_by_customer", "moved_by_scale"]

CLEANED = """
CREATE TABLE judged AS SELECT *, CASE
  WHEN row_number() OVER (PARTITION BY line_id) > 1 THEN 'repeated_line'
  WHEN CAST(ordered_at AS DATE) > DATE '2026-10-31' THEN 'after_as_of'
  WHEN status NOT IN ('paid', 'refunded') THEN 'status'
  WHEN customer_id IS NULL THEN 'no_customer'
  WHEN customer_id = 'WALK-IN' THEN 'excluded'
  ELSE 'kept' END AS reason
FROM read_csv('{transactions}', all_varchar = true);

CREATE TABLE lines AS
SELECT customer_id, order_id, CAST(ordered_at AS DATE) AS day, CAST(amount AS DECIMAL(18, 2)) AS amount
FROM judged WHERE reason = 'kept';

-- An order counts once, on the first day that leaves more than zero or was free from the start.
CREATE TABLE orders AS
SELECT customer_id, order_id, min(day) AS day
FROM (SELECT customer_id, order_id, day FROM lines GROUP BY ALL
      HAVING sum(amount) > 0 OR (min(amount) = 0 AND max(amount) = 0))
GROUP BY ALL;
"""

# Month-ends: ago 0 is as_of, 1 the month before, up to 13, which the twelve months before last month's end need.
MEASURED = """
CREATE TABLE ends AS
SELECT ago, last_day(CAST(DATE '2026-10-01' - to_months(CAST(ago AS INTEGER)) AS DATE)) AS day FROM range(14) AS t(ago);

CREATE TABLE measured AS
SELECT ago, customer_id, first_order, last_order, orders, e_day - last_order AS recency_days,
  net, net_before, bought_before, nullif(bought, 0) AS frequency, CASE WHEN bought > 0 THEN net END AS monetary
FROM (SELECT ago, customer_id, e.day AS e_day, min(o.day) AS first_order, max(o.day) AS last_order, count(*) AS orders,
        count(*) FILTER (o.day > e.day - 365) AS bought,
        count(*) FILTER (o.day > e.day - 730 AND o.day <= e.day - 365) AS bought_before
      FROM ends AS e JOIN orders AS o ON o.day <= e.day GROUP BY ALL)
JOIN (SELECT ago, customer_id, coalesce(sum(amount) FILTER (l.day > e.day - 365), 0) AS net,
        coalesce(sum(amount) FILTER (l.day > e.day - 730 AND l.day <= e.day - 365), 0) AS net_before
      FROM ends AS e JOIN lines AS l ON l.day <= e.day GROUP BY ALL) USING (ago, customer_id);
"""

# The cut point of a share is the least value that this share of the customers does not exceed.
SCALED = """
CREATE TABLE spread AS
SELECT ago, letter, value, count(*) AS customers FROM (
  SELECT ago, unnest(['r', 'f', 'm']) AS letter,
    unnest([recency_days, frequency, monetary]::DECIMAL(18, 2)[]) AS value
  FROM measured WHERE frequency IS NOT NULL)
GROUP BY ALL;

CREATE TABLE dominated AS
SELECT ago, max(customers) / sum(customers) > 0.4 AS fixed FROM spread WHERE letter = 'f' GROUP BY ago;

CREATE TABLE cuts AS
WITH reached AS (SELECT *, sum(customers) OVER w / sum(customers) OVER (PARTITION BY ago, letter) AS share
                 FROM spread WINDOW w AS (PARTITION BY ago, letter ORDER BY value))
SELECT ago, letter, q, min(value) AS cut FROM reached JOIN dominated USING (ago), range(1, 5) AS t(q)
WHERE share >= q / 5 AND NOT (letter = 'f' AND fixed) GROUP BY ALL
UNION ALL SELECT ago, 'f', q, cut FROM dominated, (VALUES (1, 1), (2, 2), (3, 3), (4, 5)) AS t(q, cut) WHERE fixed;

-- Every month stands on this month's scale (0) and on the scale that was fitted a month before (1).
CREATE TABLE scored AS
SELECT *, CASE WHEN r IS NULL THEN 'outside' WHEN m = 5 AND f IN (4, 5) THEN 'high' WHEN r IN (4, 5) AND m IN (4, 5) THEN 'potential'
    WHEN r IN (1, 2) AND m IN (1, 2) THEN 'low' ELSE 'ordinary' END AS tier
FROM (SELECT measured.*, scale, 5 - r_above AS r, 1 + f_above AS f, 1 + m_above AS m
      FROM measured CROSS JOIN (VALUES (0), (1)) AS t(scale) LEFT JOIN (SELECT ago, customer_id, scale, count(*) FILTER (letter = 'r' AND cut < recency_days) AS r_above,
                   count(*) FILTER (letter = 'f' AND cut < frequency) AS f_above,
                   count(*) FILTER (letter = 'm' AND cut < monetary) AS m_above
                 FROM measured, (SELECT ago AS scale, letter, cut FROM cuts WHERE ago <= 1) WHERE frequency > 0
                 GROUP BY ALL) USING (ago, customer_id, scale))
  LEFT JOIN segments ON cell = 100 * r + 10 * f + m;
"""

STAGED = """
CREATE TABLE gaps AS
SELECT customer_id, day, day - lag(day) OVER w AS gap, row_number() OVER w AS nth
FROM (SELECT DISTINCT customer_id, day FROM orders) WINDOW w AS (PARTITION BY customer_id ORDER BY day);

CREATE TABLE cadence AS
SELECT customer_id, count(*) AS days, count(gap) AS gaps, median(gap) AS own_gap, max(day) - min(day) AS span
FROM gaps GROUP BY customer_id;

-- The backtest of silence: of those so many days silent 180 days ago, how many bought in the 180 days since?
CREATE TABLE silences AS
SELECT silent, count(*) AS customers, count(*) FILTER (back) AS back
FROM (SELECT cut_day - max(day) FILTER (day <= cut_day) AS silent, bool_or(day > cut_day) AS back
      FROM orders, (SELECT DATE '2026-10-31' - 180 AS cut_day) GROUP BY customer_id, cut_day)
WHERE silent IS NOT NULL GROUP BY silent;

-- From the line on, every stretch that starts at it holds fewer than 10 % who came back.
CREATE TABLE lost_line AS
SELECT min(line) AS line FROM (
  SELECT line FROM (SELECT a.silent AS line, sum(b.back) OVER w / sum(b.customers) OVER w AS back
                    FROM silences AS a JOIN silences AS b ON b.silent >= a.silent
                    WINDOW w AS (PARTITION BY a.silent ORDER BY b.silent))
  GROUP BY line HAVING max(back) < 0.1);

CREATE TABLE staged AS
SELECT customer_id, own_gap, CASE
    WHEN days = 1 AND recency_days <= (SELECT quantile_disc(gap, 0.8) FROM gaps WHERE nth = 2) THEN 'new'
    WHEN recency_days <= greatest(30, 2 * (coalesce(own_gap * gaps, 0) + 2 * typical) / (gaps + 2))
      THEN CASE WHEN days >= 4 AND span >= 365 THEN 'loyal' ELSE 'active' END
    WHEN recency_days >= (SELECT line FROM lost_line) THEN 'lost'
    ELSE 'at_risk' END AS stage
FROM cadence JOIN measured USING (customer_id), (SELECT median(own_gap) AS typical FROM cadence) WHERE ago = 0;
"""

# Outside the window there is no score, which is below any, and no money.
CHANGED = """
CREATE TABLE moves AS
SELECT n.ago, n.customer_id, coalesce(b.tier, 'new') AS from_tier, n.tier AS to_tier, own.tier AS reported,
  coalesce(CASE WHEN b.tier IS NULL THEN n.monetary ELSE b.monetary END, 0) AS money,
  sign(coalesce(n.f, 0) - coalesce(b.f, 0)) AS f_turn, sign(coalesce(n.m, 0) - coalesce(b.m, 0)) AS m_turn,
  sign(coalesce(n.r, 0) - coalesce(b.r, 0)) AS r_turn
FROM scored AS n
  LEFT JOIN scored AS b ON b.customer_id = n.customer_id AND b.ago = n.ago + 1 AND b.scale = 0
  LEFT JOIN scored AS own ON own.customer_id = n.customer_id AND own.ago = n.ago + 1 AND own.scale = 1
WHERE n.scale = 0 AND n.ago < 13;

CREATE TABLE changed AS
SELECT customer_id, from_tier, to_tier, reported, nullif(from_tier, 'new') AS previous_tier,
  CASE WHEN from_tier = 'new' THEN 'new'
    WHEN to_tier = from_tier THEN 'same'
    WHEN to_tier = 'outside' THEN 'left'
    WHEN list_position(best_first, to_tier) < list_position(best_first, from_tier) THEN 'up' ELSE 'down' END AS tier_change,
  CASE WHEN to_tier <> from_tier THEN 'customer' WHEN to_tier <> reported THEN 'scale' END AS change_cause,
  concat_ws('+', CASE f_turn WHEN 1 THEN 'f_up' WHEN -1 THEN 'f_down' END,
    CASE m_turn WHEN 1 THEN 'm_up' WHEN -1 THEN 'm_down' END, CASE r_turn WHEN 1 THEN 'r_up' WHEN -1 THEN 'r_down' END) AS turns
FROM moves, (SELECT ['high', 'potential', 'ordinary', 'low', 'outside'] AS best_first) WHERE ago = 0;
"""

BOOK = """
SELECT customer_id, first_order::VARCHAR AS first_order, last_order::VARCHAR AS last_order, orders, recency_days, frequency,
  monetary::DOUBLE AS monetary, own_gap, r, f, m, segment, tier, stage, previous_tier, tier_change, change_cause,
  CASE WHEN tier_change IN ('up', 'down', 'left') AND turns <> '' THEN turns END AS change_reason,
  CASE WHEN frequency IS NULL AND bought_before = 0 THEN NULL WHEN net - net_before > 0.2 * net_before THEN 'up'
    WHEN net_before - net > 0.2 * net_before THEN 'down' ELSE 'steady' END AS trend
FROM scored JOIN staged USING (customer_id) JOIN changed USING (customer_id) WHERE ago = 0 AND scale = 0
ORDER BY customer_id
"""

# The usual range is that of the twelve months before this one; a move that did not happen in a month has the rate 0.
MOVEMENT = """
WITH counted AS (SELECT ago, from_tier, to_tier, count(*) AS customers FROM moves GROUP BY ALL),
bases AS (SELECT ago, from_tier, sum(customers) AS base FROM counted WHERE from_tier <> 'new' GROUP BY ALL
  UNION ALL SELECT ago, 'new', sum(customers) FILTER (from_tier <> 'new') FROM counted GROUP BY ago),
pairs AS (SELECT DISTINCT from_tier, to_tier FROM counted),
rates AS (SELECT ago, from_tier, to_tier, coalesce(customers, 0) / base AS rate
  FROM pairs JOIN bases USING (from_tier) LEFT JOIN counted USING (ago, from_tier, to_tier)),
usual AS (SELECT from_tier, to_tier, quantile_cont(rate, 0.1) AS low, quantile_cont(rate, 0.9) AS high
  FROM rates WHERE ago BETWEEN 1 AND 12 GROUP BY ALL),
now AS (SELECT from_tier, to_tier, count(*) AS customers, sum(money) AS revenue FROM moves WHERE ago = 0 GROUP BY ALL),
shifted AS (SELECT reported AS from_tier, to_tier, count(*) AS customers FROM changed WHERE change_cause = 'scale' GROUP BY ALL)
SELECT from_tier, to_tier, coalesce(now.customers, 0) AS customers, coalesce(revenue, 0)::DOUBLE AS revenue,
  low * base AS usual_low, high * base AS usual_high, coalesce(year.customers, 0) AS same_month_last_year,
  CASE WHEN from_tier = to_tier THEN 0 ELSE coalesce(now.customers, 0) END AS moved_by_customer,
  coalesce(shifted.customers, 0) AS moved_by_scale
FROM pairs JOIN usual USING (from_tier, to_tier) JOIN (SELECT from_tier, base FROM bases WHERE ago = 0) USING (from_tier)
  LEFT JOIN now USING (from_tier, to_tier) LEFT JOIN shifted USING (from_tier, to_tier)
  LEFT JOIN (FROM counted WHERE ago = 12) AS year USING (from_tier, to_tier)
"""


@pytest.fixture(scope="module")
def sql(tmp_path_factory):
    """A connection that holds the month as plain SQL sees it."""
    written = demo.write(tmp_path_factory.mktemp("demo"))
    cells = yaml.safe_load((params.ROOT / "params/schemes/eleven.yaml").read_text(encoding="utf-8"))["cells"]
    named = pd.DataFrame([(cell, name) for name, owned in cells.items() for cell in owned], columns=["cell", "segment"])
    with duckdb.connect() as connection:
        connection.register("named", named)
        connection.execute("CREATE TABLE segments AS FROM named")
        for step in (CLEANED.format(transactions=written["transactions"]), MEASURED, SCALED, STAGED, CHANGED):
            connection.execute(step)
        yield connection


@pytest.fixture(scope="module")
def month(demo_month):
    """The workbook of the demo."""
    return demo_month


@pytest.fixture(scope="module")
def golden(sql):
    """The book as SQL has it, by customer_id."""
    return sql.sql(BOOK).df().set_index("customer_id")


@pytest.fixture(scope="module")
def book(month):
    """The library's book, by customer_id."""
    return month.book().astype({"first_order": "str", "last_order": "str"}).set_index("customer_id")


@pytest.fixture(scope="module")
def matrix(sql, month):
    """Movement of the library beside the SQL's (`_sql`), by from_tier and to_tier."""
    expected = sql.sql(MOVEMENT).df().set_index(["from_tier", "to_tier"])
    return month.movement().set_index(["from_tier", "to_tier"]).join(expected.add_suffix("_sql"), how="outer")


def plain(column):
    """Values as Python holds them and every null as None, so that dtypes do not matter."""
    return column.astype(object).where(column.notna(), None).tolist()


def test_every_row_is_set_aside_for_the_same_reason(sql, month):
    found = month.accounting().query("table == 'transactions' and rows > 0")
    expected = sql.sql("SELECT reason, count(*), sum(amount::DECIMAL(18, 2)) FROM judged GROUP BY reason").fetchall()
    assert {(row.reason, row.rows, f"{row.amount:.2f}") for row in found.itertuples()} == {
        (reason, rows, str(amount)) for reason, rows, amount in expected
    }
    assert {reason for reason, *_ in expected} == {"kept", "repeated_line", "status", "no_customer", "excluded"}


def test_the_same_customers_stand_in_the_book(book, golden):
    assert book.index.tolist() == golden.index.tolist() and len(golden) > 5000


@pytest.mark.parametrize(("measure", "letter"), [("recency_days", "r"), ("frequency", "f"), ("monetary", "m")])
def test_the_cut_points(sql, month, measure, letter):
    cuts = sql.execute("SELECT cut::DOUBLE FROM cuts WHERE ago = 0 AND letter = ? ORDER BY q", [letter]).fetchall()
    assert month.scale.cuts[measure] == [cut for (cut,) in cuts]


@pytest.mark.parametrize("label", LABELS)
def test_every_label_of_every_customer(book, golden, label):
    rows = zip(golden.index, plain(book[label]), plain(golden[label]), strict=True)
    differ = [(customer, got, expected) for customer, got, expected in rows if got != expected]
    assert not differ, f"{len(differ)} customers differ, the first five (customer, book, SQL): {differ[:5]}"


def test_money_to_the_cent_and_gaps_to_the_half_day(book, golden, month):
    assert (book["monetary"].isna() == golden["monetary"].isna()).all()
    assert ((book["monetary"] - golden["monetary"]).abs().fillna(0) < 0.005).all()
    gaps = month.history().set_index("customer_id")["own_gap_days"]
    assert plain(gaps.reindex(golden.index)) == plain(golden["own_gap"])


def test_movement_of_every_pair_of_tiers(matrix):
    for name in COUNTS:
        assert plain(matrix[name]) == plain(matrix[f"{name}_sql"]), name
    assert matrix["customers"].sum() > 5000 and matrix["moved_by_scale"].sum() > 0
    assert ((matrix["revenue"] - matrix["revenue_sql"]).abs() < 0.005).all()


def test_the_usual_range_of_every_move(matrix):
    """The library tells it to a tenth of a customer."""
    for name in ("usual_low", "usual_high"):
        assert ((matrix[name] - matrix[f"{name}_sql"]).abs() < 0.0501).all(), name


def test_the_month_is_worth_the_comparison(sql, golden):
    """Every name of every label occurs, and so do the cases in which a careless definition goes wrong."""
    assert (
        set(golden["tier"]) == {"high", "potential", "ordinary", "low", "outside"} and golden["segment"].nunique() == 11
    )
    assert set(golden["stage"]) == {"new", "active", "loyal", "at_risk", "lost"}
    assert set(golden["trend"].dropna()) == {"up", "steady", "down"} and golden["trend"].isna().any()
    assert set(golden["tier_change"]) == {"up", "same", "down", "new", "left"}
    assert set(golden["change_cause"].dropna()) == {"customer", "scale"}
    refunded, free, same_day, long_silent, at_the_cut = sql.sql("""SELECT
        (SELECT count(*) FROM (FROM lines SELECT order_id GROUP BY order_id HAVING sum(amount) <= 0)),
        (SELECT count(*) FROM lines WHERE amount = 0),
        (SELECT count(*) FROM (FROM orders SELECT customer_id GROUP BY customer_id, day HAVING count(*) > 1)),
        (SELECT count(*) FROM staged JOIN measured USING (customer_id), lost_line
          WHERE ago = 0 AND stage IN ('active', 'loyal') AND recency_days >= line),
        (SELECT count(*) FROM measured JOIN cuts USING (ago) WHERE ago = 0 AND letter = 'r' AND recency_days = cut)
        """).fetchone()
    assert refunded > 100 and free > 10 and same_day > 100 and long_silent > 5 and at_the_cut > 10

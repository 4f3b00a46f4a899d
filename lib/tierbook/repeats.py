"""Rows that stand twice: orders in overlapping files, lines exported twice, exact copies.

Each function returns the condition of a row that is set aside, and the join that the condition needs: a small table of
the groups that stand more than once, never a sort of all rows.
"""

from __future__ import annotations

from tierbook import cells
from tierbook.engine import identifier
from tierbook.errors import ParamsError
from tierbook.params import Transactions, nearest
from tierbook.sources import Raw


def row_key(raw: Raw, rules: Transactions) -> str:
    """One number for all cells of a row, where rows are compared."""
    told = sorted(name for name in raw.types if name != "_part" and name != raw.columns.get("part"))
    compared = rules.duplicates == "drop_exact" or "line_id" in raw.columns
    return f"hash({', '.join(map(identifier, told))})" if compared else "NULL"


def overlap(rules: Transactions, raw: Raw) -> tuple[str, str]:
    """An order that stands in several files counts once, as in the last of them (the newest download)."""
    if rules.overlap_by is None:
        return "false", ""
    if rules.overlap_by not in raw.columns:
        known = nearest(rules.overlap_by, raw.columns)
        raise ParamsError(f"source.transactions.overlap_by: no column {rules.overlap_by!r}; {known}")
    key = f"CAST({identifier(rules.overlap_by)} AS VARCHAR)"
    newest = f"""LEFT JOIN (SELECT {key} AS shared, max(part) AS newest FROM lines
        WHERE {key} IS NOT NULL AND NOT {cells.damaged(key)} GROUP BY 1 HAVING min(part) < max(part)) ON {key} = shared"""
    return "coalesce(part < newest, false)", newest


def repeated_line(raw: Raw) -> tuple[str, str]:
    """A line number that repeats within its order is one line exported twice; that of the last file counts.

    Without an order number, a customer's lines of one moment are the order.
    """
    if "line_id" not in raw.columns:
        return "false", ""
    key = """CASE WHEN line_id IS NOT NULL THEN concat_ws(chr(31), line_id,
        coalesce(order_id, concat_ws(chr(31), '', coalesce(customer_id, ''), CAST(ordered_at AS VARCHAR)))) END"""
    rank = """{'p': part, 'good': ordered_at IS NOT NULL AND amount IS NOT NULL, 't': ordered_at, 'a': amount,
        'k': row_key, 'n': file_row_number}"""
    numbered = f"""LEFT JOIN (SELECT {key} AS line_key, max({rank}).n AS counts_n FROM placed
        GROUP BY 1 HAVING count(*) > 1) ON {key} = line_key"""
    return "coalesce(file_row_number <> counts_n, false)", numbered


def copy(rules: Transactions) -> tuple[str, str]:
    """Only rows that would count are compared for being exact copies of each other."""
    if rules.duplicates == "keep":
        return "false", ""
    copies = """LEFT JOIN (SELECT row_key, customer_id, ordered_at, amount, max(file_row_number) AS copied_n FROM judged
        WHERE early IS NULL GROUP BY ALL HAVING count(*) > 1) AS copies USING (row_key, customer_id, ordered_at, amount)"""
    return "coalesce(file_row_number <> copied_n, false)", copies

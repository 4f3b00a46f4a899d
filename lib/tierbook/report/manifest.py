"""run.json: all that is needed to tell where a figure came from, and to make it again (docs/run.schema.json)."""

from __future__ import annotations

import json
import math
import platform
import time
from pathlib import Path
from typing import Any

import tierbook
from tierbook import cache, params
from tierbook.params import Params
from tierbook.report import headline
from tierbook.report.changes import changed_cells
from tierbook.workbook import Workbook


def facts(month: Workbook, params_file: str, notebooks: list[Path]) -> dict[str, Any]:
    """What is known of a run before its notebooks are executed; the pages' footer says the same.

    ``notebooks``: those of the report. ``changed_notebooks`` holds the ones with cells that differ from the commit, by
    file name; ``uncommitted_notebooks`` those without a commit to compare with.
    """
    changed = {path.name: changed_cells(path) for path in notebooks}
    rows = month.accounting().astype({"rows": int}).to_dict("records")
    return {
        "report": month.params.report.name,
        "as_of": month.as_of.isoformat(),
        "params_file": params_file,
        "params": shown_params(month.params),
        "row_accounting": [{k: row[k] for k in ("table", "reason", "rows", "amount")} for row in rows],
        "inputs": month.tables.inputs,
        "fingerprint": fingerprint(month),
        "code": {"tierbook": tierbook.__version__, "sha256": cache.code_digest()},
        "versions": {"python": platform.python_version(), **cache.package_versions(month.params.engine.name)},
        "seed": month.params.seed,
        "scale": _scale(month) if month.on_orders else None,
        "gates": month.gates().to_dict("records") if month.on_orders else [],
        "simulated": [table for table in month.tables.specs if month.simulated(table)],
        "notebooks": [path.stem for path in notebooks],
        "changed_notebooks": {name: n for name, n in changed.items() if n},
        "uncommitted_notebooks": [name for name, n in changed.items() if n is None],
    }


def fingerprint(month: Workbook) -> str:
    """The one name of inputs, params, code and versions that all numbers of the month go by."""
    return month.tables.cache.folder.name.removeprefix("step-")


def shown_params(tree: Params) -> dict[str, Any]:
    """The params as a report may show them: with masked ids, the customers left out by name are only counted."""
    written = params.dump(tree)
    if tree.report.mask_customer_ids:
        excluded = (written["source"]["transactions"] or {}).get("exclude") or {}
        if "customer_id" in excluded:
            excluded["customer_id"] = [f"{len(excluded['customer_id'])} masked"]
    return written


def _scale(month: Workbook) -> dict[str, Any]:
    """The cut points' origin: the frozen file, or null where they were fitted on this month, and since when they hold."""
    path, scale = month.scale_path, month.scale
    known = {"valid_from": str(scale.valid_from), "review_by": scale.review_by, "customers": int(scale.customers)}
    return {"file": path.name if path else None, "method": scale.method, **known}


def write(month: Workbook, found: dict[str, Any], seconds: dict[str, float], folder: Path) -> None:
    """Write run.json: the facts, the month's verdict line and main measures for the archive, the time and the timings."""
    told = {
        "generated_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        **found,
        "headline": {language: headline.headline(month, language) for language in month.params.report.languages},
        "measures": headline.measures(month),
        "seconds": seconds,
    }
    text = json.dumps(_plain(told), ensure_ascii=False, indent=1, default=str, allow_nan=False)
    (folder / "run.json").write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """JSON knows no NaN: what is not known is null."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

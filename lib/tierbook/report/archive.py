"""The list of all reports: ``outputs/index.html``, rebuilt from what lies in the folders."""

import json
import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from tierbook.errors import PublishError
from tierbook.report.export import LANGUAGE_CODES, LANGUAGE_NAMES, style

TITLES = {"en": "Reports", "zh": "报告"}
COLUMNS = (("Data as of", "数据截至"), ("Report", "报告"), ("Pages", "页面"))
NOTHING_YET = ("No report has been published yet.", "尚未发布任何报告。")


@dataclass(frozen=True)
class Published:
    """One published report: its folder's name, as-of date, title per language and the languages it is written in."""

    name: str
    as_of: str
    titles: dict[str, str]
    languages: tuple[str, ...]


def published(outputs: Path) -> list[Published]:
    """Reports under `outputs` (``<name>/<as of>/run.json``), newest first; hidden folders hold none."""
    runs = (path for path in outputs.glob("*/*/run.json") if not any(p.startswith(".") for p in path.parts[-3:-1]))
    return sorted((_report(path) for path in runs), key=lambda report: (_newest_first(report.as_of), report.name))


def write_index(outputs: Path) -> Path:
    """Write ``outputs/index.html`` in one move, so that a reader never meets half a page.

    Raises
    ------
    PublishError
        When the folder cannot be written.
    """
    index = outputs / "index.html"
    unfinished = outputs / f".index.{os.getpid()}.html"
    try:
        outputs.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(_page(published(outputs)), encoding="utf-8", newline="\n")
        unfinished.replace(index)
    except OSError as failure:
        raise PublishError(
            f"{index}: cannot write the list of reports ({failure.strerror}): check the folder"
        ) from None
    return index


def _report(path: Path) -> Published:
    folder = path.parent
    languages = tuple(sorted(page.parent.name for page in folder.glob("*/index.html")))
    return Published(folder.parent.name, folder.name, _titles(path), languages)


def _titles(path: Path) -> dict[str, str]:
    # a report whose manifest cannot be read is still a report that was published
    try:
        title = json.loads(path.read_text(encoding="utf-8"))["params"]["report"]["title"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return title if isinstance(title, dict) else {"en": str(title)}


def _newest_first(as_of: str) -> tuple[int, ...]:
    return tuple(-ord(sign) for sign in as_of)


def _page(reports: list[Published]) -> str:
    title = " · ".join(TITLES.values())
    heads = "".join(f'<th scope="col">{escape(en)} · <span lang="zh-CN">{zh}</span></th>' for en, zh in COLUMNS)
    rows = "\n".join(_row(report) for report in reports)
    table = f'<table class="archive"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>'
    empty = f'<p>{NOTHING_YET[0]} <span lang="zh-CN">{NOTHING_YET[1]}</span></p>'
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style()}</style>
</head>
<body>
<header class="top"><h1>{title}</h1></header>
<main>
{table if reports else empty}
</main>
</body>
</html>
"""


def _row(report: Published) -> str:
    folder = f"{quote(report.name)}/{quote(report.as_of)}"
    links = " ".join(
        f'<a href="{folder}/{quote(language)}/index.html" lang="{escape(LANGUAGE_CODES.get(language, language))}">'
        f"{escape(LANGUAGE_NAMES.get(language, language))}</a>"
        for language in report.languages
    )
    titles = " · ".join(escape(title) for title in dict.fromkeys(report.titles.values())) or escape(report.name)
    title = f"{titles} <small>({escape(report.name)})</small>"
    return f'<tr><th scope="row">{escape(report.as_of)}</th><td>{title}</td><td>{links}</td></tr>'

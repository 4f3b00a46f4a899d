"""The runner: params checked, book computed, notebooks executed side by side, pages exported, published whole."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

import tierbook
from tierbook import cache, databases, params
from tierbook.errors import NotebookFailed, ParamsError, PublishError
from tierbook.params import ROOT, Params
from tierbook.report import archive, excel, handoffs, lists, publish, tableau, uploads
from tierbook.report.changes import changed_cells
from tierbook.report.execute import Job, execute, prepare
from tierbook.report.export import Page
from tierbook.workbook import Workbook, quality

NOTEBOOKS = ROOT / "notebooks"
FRONT = "07_summarise_month"
BOOK = ("accounting", "history", "sales", "scores", "value", "tier_path", "movement", "campaigns",
        "campaign_review", "whom_next", "scorecard", "book", "loop")  # fmt: skip
OF_TRIAL = ("accounting", "campaigns", "campaign_review", "whom_next")
REVIEW = "06_review_campaign"


@dataclass
class Run:
    """One run of one report: where it writes, what it measured."""

    params: Params
    params_file: str
    outputs: Path
    jobs: int
    only: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def as_of(self) -> str:
        """The last day counted, as the report's folder is called."""
        return self.params.as_of.isoformat()

    @contextmanager
    def timed(self, step: str):
        """Keep the seconds of a step for run.json."""
        started = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - started, 3)


def run(run: Run) -> Path:
    """Make the report and publish it; returns the page to open.

    With ``only`` the one notebook is executed into ``outputs/.preview`` and nothing is published.
    Raises a `TierbookError`; the report published before is then untouched.
    """
    notebooks = chosen(run.params, run.only)
    name = run.params.report.name
    steps = BOOK if run.params.source.transactions else OF_TRIAL
    with publish.staging(run.outputs, name, run.as_of) as folder, _progress(run, len(steps) + len(notebooks)) as bar:
        month = Workbook(run.params, run.outputs)
        month.check_rules()
        tableau.check_extras(run.params)
        with run.timed("databases"):
            month.tables.refresh()
        _compute(month, run, bar, steps[:2])  # what can be refused is refused before a worker starts
        with run.timed("gates"):
            quality.refuse(month)
        with _workers(run) as workers:
            _compute(month, run, bar, steps[2:])
            try:
                _make(month, run, notebooks, folder, workers, bar)
            except NotebookFailed as failure:
                kept = publish.keep_failure(folder, run.outputs, name, run.as_of)
                raise NotebookFailed(f"{failure} (executed notebook: {kept / 'notebooks'})") from None
        if run.only is not None:
            return _preview(folder, run)
        _write_manifest(month, run, folder)
        place = publish.publish(folder, run.outputs, name, run.as_of)
    archive.write_index(run.outputs)
    cache.sweep(run.outputs / ".work")
    return place / run.params.report.languages[0] / "index.html"


def _progress(run: Run, steps: int) -> tqdm:
    return tqdm(total=steps, desc=f"{run.params.report.name} {run.as_of}", file=sys.stderr, unit="step", delay=2)


def _make(
    month: Workbook, run: Run, notebooks: list[Path], folder: Path, workers: ProcessPoolExecutor, bar: tqdm
) -> None:
    """Pages in the workers, tables here meanwhile."""
    jobs = _jobs(month, run, notebooks, folder, _made(month, run))
    futures = {workers.submit(execute, job): job.notebook.stem for job in jobs}
    if run.only is None:
        _write_tables(month, run, folder)
    _await(futures, run, bar)


def chosen(tree: Params, only: str | None = None) -> list[Path]:
    """The notebooks of the report in reading order; an unknown name is an error that names the nearest."""
    monthly = {path.stem: path for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))}
    cases = {f"cases/{path.stem}": path for path in sorted(NOTEBOOKS.glob("cases/[0-9][0-9]_*.ipynb"))}
    every = monthly | cases
    whole = (
        list(monthly) if tree.source.transactions else [REVIEW]
    )  # a trial alone has nothing to say on the other pages
    named = re.sub(r"^notebooks/|\.ipynb$", "", only or "")
    wanted = [named] if only else whole if tree.report.notebooks == "all" else tree.report.notebooks
    for name in wanted:
        if name not in every:
            raise ParamsError(f"no notebook {name!r} under notebooks/; {params.nearest(name, every)}")
    return [every[name] for name in wanted]


@contextmanager
def _workers(run: Run):
    """Worker processes, started first so that their imports run beside the computing of the book."""
    runtime = tempfile.mkdtemp(prefix="tierbook-")  # short: a socket's path may not exceed some 100 characters
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(run.jobs, mp_context=spawn, initializer=prepare, initargs=(str(run.outputs), runtime))
    try:
        for _ in range(run.jobs):
            pool.submit(os.getpid)
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(runtime, ignore_errors=True)


def _compute(month: Workbook, run: Run, bar: tqdm, steps: tuple[str, ...]) -> None:
    for step in steps:
        bar.set_postfix_str(step, refresh=False)
        with run.timed(step):
            getattr(month, step)()
        bar.update()


def _jobs(month: Workbook, run: Run, notebooks: list[Path], folder: Path, made: dict[str, tuple[str, ...]]):
    """One job per notebook; each knows the pages it becomes."""
    (folder / "notebooks").mkdir()
    parameters = params.dump(run.params)
    for language in run.params.report.languages:
        (folder / language).mkdir()
    for path in notebooks:
        pages = {
            language: (folder / language / page_name(path.stem, notebooks), _page(run, path, notebooks, language, made))
            for language in run.params.report.languages
        }
        yield Job(path, parameters, folder / "notebooks" / path.name, pages)


def page_name(stem: str, notebooks: list[Path]) -> str:
    """The file a notebook becomes: the month's summary, or the first where it is not made, is index.html."""
    stems = [path.stem for path in notebooks]
    front = FRONT if FRONT in stems else stems[0]
    return "index.html" if stem == front else f"{stem}.html"


def _page(run: Run, path: Path, notebooks: list[Path], language: str, made: dict) -> Page:
    ordered = sorted(notebooks, key=lambda p: page_name(p.stem, notebooks) != "index.html")
    links = tuple((page_name(p.stem, notebooks), title_of(p, language), p == path) for p in ordered)
    here = page_name(path.stem, notebooks)
    others = tuple((other, f"../{other}/{here}") for other in run.params.report.languages if other != language)
    title = run.params.report.title
    return Page(
        report_title=title.get(language) or next(iter(title.values())),
        month_label=made["month"][run.params.report.languages.index(language)],
        as_of=run.params.as_of,
        notebook_stem=path.stem,
        links=links,
        other_languages=others,
        changed_cells=changed_cells(path),
        made=made[language],
        front=here == "index.html",
        archive="../../../index.html",
    )


def title_of(notebook: Path, language: str) -> str:
    """A notebook's first heading in a language, else its file name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    prose = [c for c in cells if c["cell_type"] == "markdown" and f"lang-{language}" in c["metadata"].get("tags", [])]
    heading = re.search(r"^# (.+)$", "".join(prose[0]["source"]), re.M) if prose else None
    return heading.group(1).strip() if heading else notebook.stem


def _made(month: Workbook, run: Run) -> dict[str, tuple[str, ...]]:
    """How the pages were made, a few lines per language."""
    rows = month.accounting()
    counted = rows[rows["table"] == ("transactions" if month.on_orders else "trial")]
    read, kept = int(counted["rows"].sum()), int(counted.loc[counted["reason"] == "kept", "rows"].sum())
    lines = {"month": tuple(month.words(lang).month(run.params.as_of) for lang in run.params.report.languages)}
    for language in run.params.report.languages:
        words = month.words(language)
        lines[language] = (
            words.text(
                "tierbook {version}, params {file}", version=tierbook.__version__, file=Path(run.params_file).name
            ),
            words.text("Order lines read {read:number}, counted {kept:number}", read=read, kept=kept)
            if month.on_orders
            else words.text("Customers of the trial read {read:number}, counted {kept:number}", read=read, kept=kept),
            words.text(
                "Fingerprint of inputs, params and code: {code}",
                code=month.tables.cache.folder.name.removeprefix("step-"),
            ),
        )
    return lines


def _write_tables(month: Workbook, run: Run, folder: Path) -> None:
    try:
        with run.timed("tables"):
            handoffs.write_tables(month, folder / "tables")
        if month.on_orders:
            with run.timed("excel"):
                excel.write_excel(month, folder)
                lists.write_csv(month, folder / "excel")
            uploads.write_uploads(month, folder)
            tableau.write_tableau(month, folder / "tables")
    except OSError as error:
        raise PublishError(
            f"cannot write {error.filename or folder}: {error.strerror}; nothing was published"
        ) from None


def _await(futures: dict[Future, str], run: Run, bar: tqdm) -> None:
    for future in as_completed(futures):
        try:
            run.seconds[futures[future]] = round(future.result(), 3)
        except BrokenProcessPool:
            raise NotebookFailed(f"{futures[future]}: the process that ran it was killed (out of memory?)") from None
        except OSError as error:
            raise PublishError(f"cannot write the pages: {error.strerror}; nothing was published") from None
        bar.set_postfix_str(futures[future], refresh=False)
        bar.update()


def _preview(folder: Path, run: Run) -> Path:
    """Keep the pages of one notebook under outputs/.preview; the published report stays as it is."""
    target = run.outputs / ".preview" / run.params.report.name / run.as_of
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(folder, target)
    return target / run.params.report.languages[0] / "index.html"


def _write_manifest(month: Workbook, run: Run, folder: Path) -> None:
    """run.json: all that is needed to tell where a figure came from, and to make it again."""
    notebooks = chosen(run.params)
    changed = {path.name: n for path in notebooks if (n := changed_cells(path))}
    rows = month.accounting().astype({"rows": int}).to_dict("records")
    manifest = {
        "report": run.params.report.name,
        "as_of": run.as_of,
        "generated_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "params_file": run.params_file,
        "params": params.dump(run.params),
        "row_accounting": [{k: row[k] for k in ("table", "reason", "rows", "amount")} for row in rows],
        "inputs": month.tables.inputs,
        "fingerprint": month.tables.cache.folder.name.removeprefix("step-"),
        "code": {"tierbook": tierbook.__version__, "sha256": cache.code_digest()},
        "versions": {"python": platform.python_version(), **cache.package_versions()},
        "seed": run.params.seed,
        "gates": month.gates().to_dict("records") if month.on_orders else [],
        "simulated": [table for table in month.tables.specs if month.simulated(table)],
        "notebooks": [path.stem for path in notebooks],
        "changed_notebooks": changed,
        "seconds": run.seconds,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1, default=str).replace("NaN", "null")
    (folder / "run.json").write_text(text + "\n", encoding="utf-8")
    shutil.rmtree(folder / "notebooks")


def check(tree: Params, outputs: Path) -> Workbook:
    """Params, tables and gates without notebooks: what `tierbook check` looks at."""
    month = Workbook(tree, outputs)
    chosen(tree)
    month.check_rules()
    tableau.check_extras(tree)
    read_anew(month, outputs)
    for step in ("accounting", "gates", "scale") if month.on_orders else OF_TRIAL:
        found = getattr(month, step)
        found() if callable(found) else None
    quality.refuse(month)
    return month


def read_anew(month: Workbook, outputs: Path) -> None:
    """Read the databases anew; refused while a run of this report is under way, whose pages must stand on the same rows."""
    if databases.given(month.params):
        with publish.staging(outputs, month.params.report.name, month.as_of.isoformat()):
            month.tables.refresh()


def jobs_available() -> int:
    """Kernels to run at once: as many as there are processors this process may use, at most four."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, usable))

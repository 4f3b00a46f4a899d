"""The runner: params checked, book computed, notebooks executed side by side, pages exported, published whole."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import tempfile
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from tierbook import cache, params
from tierbook.errors import NotebookFailed, ParamsError, PublishError
from tierbook.params import ROOT, Params
from tierbook.report import archive, excel, form, handoffs, keys, lists, manifest, progress, publish, tableau, uploads
from tierbook.report.execute import Job, execute, prepare
from tierbook.report.pages import pages
from tierbook.workbook import Workbook, counted, parts, quality, tallies

NOTEBOOKS = ROOT / "notebooks"
BOOK = ("accounting", "history", "sales", "scores", "value", "past_moves", "movement", "campaigns",
        "campaign_review", "whom_next", "scorecard", "book", "loop")  # fmt: skip
OF_CUSTOMERS = ("history", "scores", "book")
"""Steps of one row per customer, which are written and not read."""
OF_TRIAL = ("accounting", "campaigns", "campaign_review", "whom_next")
PROFILE, REVIEW = "01_profile_data", "06_review_campaign"
BESIDE = 200_000
"""Customers up to whom tables are made beside the pages."""


@dataclass
class Run:
    """One run of one report: where it writes, what it measured."""

    params: Params
    params_file: str
    outputs: Path
    jobs: int
    only: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    forecast: progress.Forecast | None = None

    @property
    def as_of(self) -> str:
        """The last day counted, as the report's folder is called."""
        return self.params.as_of.isoformat()

    @property
    def steps(self) -> tuple[str, ...]:
        """What is computed before the pages; the first two say whether there is anything to report."""
        return BOOK if self.params.source.transactions else OF_TRIAL

    @property
    def label(self) -> str:
        """Report and day, as the bar and the log name the run."""
        return f"{self.params.report.name} {self.as_of}"

    @contextmanager
    def timed(self, step: str):
        """Keep the seconds of a step for run.json."""
        started = time.perf_counter()
        yield
        self.took(step, time.perf_counter() - started)

    def took(self, step: str, seconds: float) -> None:
        """Keep the seconds of a finished step, and tell them where a log is written."""
        self.seconds[step] = round(seconds, 3)
        progress.line(self.label, step, seconds, self.left())

    def left(self) -> str:
        """How long the run still takes, in words; empty until its rows are known."""
        return progress.in_words(self.forecast and self.forecast.left(self.seconds))

    def at(self, step: str) -> str:
        """Where the run is, as the bar shows it."""
        return ", ".join(filter(None, (step, self.left())))


def run(run: Run) -> Path:
    """Make the report and publish it; returns the page to open.

    With ``only`` the one notebook is executed into ``outputs/.preview`` and nothing is published.
    Raises a `TierbookError`; the report published before is then untouched.
    """
    notebooks = chosen(run.params, run.only)
    name = run.params.report.name
    steps = run.steps
    with (
        publish.staging(run.outputs, name, run.as_of) as folder,
        progress.bar(run.label, len(steps) + len(notebooks)) as bar,
    ):
        month = Workbook(run.params, run.outputs)
        run.params = month.params  # with the masks of those it names, where ids are masked
        month.check_rules()
        tableau.check_extras(run.params)
        with run.timed("databases"):
            month.tables.refresh()
        _compute(month, run, bar, steps[:2])  # what can be refused is refused before a worker starts
        run.jobs = _at_once(month, run.jobs)
        run.forecast = _forecast(month, run, steps, notebooks)
        with run.timed("gates"):
            quality.refuse(month)
        with _workers(run) as workers:
            facts = manifest.facts(month, run.params_file, notebooks)
            try:
                _make(month, run, list(_jobs(month, run, facts, notebooks, folder)), folder, workers, bar)
            except NotebookFailed as failure:
                kept = publish.keep_failure(folder, run.outputs, name, run.as_of)
                raise NotebookFailed(
                    f"{failure} (executed notebook: {kept / 'notebooks' / failure.notebook})"
                ) from None
        if run.only is not None:
            return _preview(folder, run)
        shutil.rmtree(folder / "notebooks")
        manifest.write(month, facts, run.seconds, folder)
        with keys.beside(month, run.outputs):
            place = publish.publish(folder, run.outputs, name, run.as_of)
    archive.write_index(run.outputs)
    cache.sweep(run.outputs / ".work")
    return place / run.params.report.languages[0] / "index.html"


def _forecast(month: Workbook, run: Run, steps: tuple[str, ...], notebooks: list[Path]) -> progress.Forecast:
    """What the run is expected to take, by the report's last runs and the rows read."""
    rows, runs = int(month.accounting()["rows"].sum()), progress.past(run.outputs / run.params.report.name)
    also = {"excel": month.on_orders, "figures": _is_dear(month)}
    written = ["tables", *(step for step, made in also.items() if made)] if run.only is None else []
    beside = [*(path.stem for path in notebooks), *written]
    first, then = (progress.expected(list(some), rows, runs) for some in (steps, beside))
    return progress.Forecast(first, then, run.jobs)


def _make(month: Workbook, run: Run, jobs: list[Job], folder: Path, workers: ProcessPoolExecutor, bar: tqdm) -> None:
    """Pages in the workers, beside them here the book and then the tables; where that would be dear, these first."""
    alone = run.only is None and _is_dear(month)
    # the profile stands on what is computed already, so its page is made while the scores are
    early = [job for job in jobs if job.notebook.stem == PROFILE and not alone]
    futures = {workers.submit(execute, job): job.notebook.stem for job in early}
    _compute(month, run, bar, run.steps[2:])
    if alone:
        _write_tables(month, run, folder)
        _draw_from(month, run)
    futures |= {workers.submit(execute, job): job.notebook.stem for job in jobs if job not in early}
    if run.only is None and not alone:
        _write_tables(month, run, folder)
    _await(futures, run, bar)


def _draw_from(month: Workbook, run: Run) -> None:
    """Compute here what the pages draw from, so that no notebook has to read the customers for it."""
    with run.timed("figures"):
        for step in (*counted.DRAWN, *tallies.DRAWN, "campaigns_counted") if month.on_orders else ():
            getattr(month, step)()


def _is_dear(month: Workbook) -> bool:
    """Whether two processes must not compute one step at once: each has an engine of its own, with all its memory, and on
    Spark a Java of its own. Once the tables are made, every step that a notebook asks for is kept."""
    return month.params.engine.name == "spark" or (month.on_orders and month.size > BESIDE)


def _at_once(month: Workbook, jobs: int) -> int:
    """How many notebooks may run side by side: with so many customers that one machine works through them in parts, one, so
    that no two hold what they read of all of them."""
    return 1 if month.on_orders and month.size > parts.PART else jobs


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
    return [form.checked(every[name]) for name in wanted]


@contextmanager
def _workers(run: Run):
    """Worker processes, started first so that their imports run beside the computing of the book."""
    runtime = tempfile.mkdtemp(prefix="tierbook-")  # short: a socket's path may not exceed some 100 characters
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        run.jobs, mp_context=spawn, initializer=prepare, initargs=(str(run.outputs), runtime, os.getpid())
    )
    try:
        for _ in range(run.jobs):
            pool.submit(os.getpid)
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(runtime, ignore_errors=True)


def _compute(month: Workbook, run: Run, bar: tqdm, steps: tuple[str, ...]) -> None:
    for step in steps:
        bar.set_postfix_str(run.at(step), refresh=False)
        with run.timed(step):
            getattr(month, step)(**({"columns": ["customer_id"]} if step in OF_CUSTOMERS else {}))
        bar.update()


def _jobs(month: Workbook, run: Run, facts: dict, notebooks: list[Path], folder: Path):
    """One job per notebook; each knows the pages it becomes."""
    (folder / "notebooks").mkdir()
    parameters = params.dump(run.params)
    for language in run.params.report.languages:
        (folder / language).mkdir()
    for path, found in pages(month, facts, notebooks, None if run.only else run.outputs):
        placed = {language: (folder / place, page) for language, (place, page) in found.items()}
        yield Job(path, parameters, folder / "notebooks" / path.name, placed)


def _write_tables(month: Workbook, run: Run, folder: Path) -> None:
    try:
        with run.timed("tables"):
            handoffs.write_tables(month, folder / "tables")
        if month.on_orders:
            with run.timed("excel"):
                excel.write_excel(month, folder)
                lists.write_csv(month, folder / "excel")
            if month.tables.salt is None:
                uploads.write_uploads(month, folder)
            tableau.write_tableau(month, folder / "tables")
    except OSError as error:
        raise PublishError(
            f"cannot write {error.filename or folder}: {error.strerror}; nothing was published"
        ) from None


def _await(futures: dict[Future, str], run: Run, bar: tqdm) -> None:
    for future in as_completed(futures):
        try:
            run.took(futures[future], future.result())
        except BrokenProcessPool:
            raise NotebookFailed(f"{futures[future]}: the process that ran it was killed (out of memory?)") from None
        except OSError as error:
            raise PublishError(f"cannot write the pages: {error.strerror}; nothing was published") from None
        bar.set_postfix_str(run.at(futures[future]), refresh=False)
        bar.update()


def _preview(folder: Path, run: Run) -> Path:
    """Keep the pages of one notebook under outputs/.preview; the published report stays as it is."""
    target = run.outputs / ".preview" / run.params.report.name / run.as_of
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(folder, target)
    return target / run.params.report.languages[0] / "index.html"


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
    """Read what lies elsewhere anew; refused while a run of this report is under way, whose pages stand on the same rows."""
    if month.tables.elsewhere:
        with publish.staging(outputs, month.params.report.name, month.as_of.isoformat()):
            month.tables.refresh()


def jobs_available() -> int:
    """Kernels to run at once: as many as there are processors this process may use, at most four."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(4, usable))

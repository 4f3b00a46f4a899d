"""One notebook executed by papermill in a process of its own, and exported to one page per language."""

from __future__ import annotations

import errno
import os
import re
import sys
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tierbook.errors import NotebookFailed, PublishError
from tierbook.report import form
from tierbook.report.export import Page, page_html

UNWRITABLE = {errno.ENOSPC, errno.EROFS, errno.EDQUOT}  # a disk that is full or read-only is no fault of a notebook


@dataclass(frozen=True)
class Job:
    """What a worker needs to know: the notebook, its parameters, where results go, and each language's page."""

    notebook: Path
    parameters: dict[str, Any]
    executed: Path
    pages: dict[str, tuple[Path, Page]]


def prepare(outputs: str, runtime: str, runner: int) -> None:
    """Make a fresh worker process of the process ``runner`` ready: its environment, and the imports of every job."""
    threading.Thread(target=_end_with, args=(runner,), daemon=True).start()
    os.environ.update(TIERBOOK_OUTPUTS=outputs, JUPYTER_RUNTIME_DIR=runtime, PYDEVD_DISABLE_FILE_VALIDATION="1")
    # what jsonschema would check addresses with builds a grammar for a second and more; notebooks hold none to check
    sys.modules.setdefault("rfc3987_syntax", None)
    import nbconvert.exporters  # noqa: F401
    import papermill  # noqa: F401


def _end_with(runner: int) -> None:
    """End this worker when the runner is gone: killed outright, it cannot tell its workers to stop."""
    while os.getppid() == runner:
        time.sleep(1)
    os._exit(1)


def _settings(stem: str) -> Any:
    """The kernel's settings: sockets of its own, for kernels that listen on TCP race for ports when several start at
    once; and no word about being told to stop, which it takes for an error when it is still busy with its farewell."""
    from traitlets.config import Config

    quiet = {"NotebookClient": {"extra_arguments": ["--IPKernelApp.log_level=50"]}}
    if os.name != "posix":
        return Config(quiet)
    path = Path(os.environ["JUPYTER_RUNTIME_DIR"]) / stem[:40]
    return Config({**quiet, "ConnectionFileMixin": {"transport": "ipc", "ip": str(path)}})


@cache
def _engine() -> str:
    """papermill's own engine by another name: it writes the notebook when it is through or has failed, not twice a cell,
    which took two thirds of a worker's time and let the kernel wait."""
    from papermill.engines import NBClientEngine, papermill_engines

    class AtTheEnd(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, **settings):
            path, nb_man.output_path = nb_man.output_path, None
            try:
                return super().execute_managed_notebook(nb_man, kernel_name, **settings)
            finally:
                nb_man.output_path = path

    papermill_engines.register("at_the_end", AtTheEnd)
    return "at_the_end"


def _unwritten(number: int) -> PublishError:
    return PublishError(f"cannot write the pages: {os.strerror(number)}; nothing was published")


def _failed(job: Job, told: str) -> NotebookFailed:
    failure = NotebookFailed(told)
    failure.notebook = job.executed.name
    return failure


def execute(job: Job) -> float:
    """Run one notebook and write its pages; returns the seconds it took.

    Raises `NotebookFailed` with the cell and the message; the notebook as far as it came lies at ``job.executed``.
    """
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    started = time.perf_counter()
    try:
        papermill.execute_notebook(
            str(job.notebook),
            str(job.executed),
            parameters=job.parameters,
            cwd=str(job.notebook.parent),
            progress_bar=False,
            kernel_name="python3",
            engine_name=_engine(),
            config=_settings(job.notebook.stem),
        )
    except PapermillExecutionError as error:
        # papermill has run one cell before this one, its own with the params, which JupyterLab will not have
        number = error.exec_count - 1 if error.exec_count else None
        cause = (str(error.ename), str(error.evalue), "\n".join(error.traceback or ()))
        if (told := re.match(r"\[Errno (\d+)\]", cause[1])) and cause[0] == "OSError" and int(told[1]) in UNWRITABLE:
            raise _unwritten(int(told[1])) from None
        raise _failed(job, form.told(job.notebook.name, number, str(error.source), cause)) from None
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise _failed(job, f"{job.notebook.name}: {error}") from None
        raise _unwritten(error.errno) from None
    except Exception as error:  # a dead kernel, a time-out: nbclient has no common base class for them
        raise _failed(
            job, f"{job.notebook.name}: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        ) from None
    notebook = nbformat.read(job.executed, as_version=4)
    for language, (path, page) in job.pages.items():
        path.write_text(page_html(notebook, language, page), encoding="utf-8")
    return time.perf_counter() - started

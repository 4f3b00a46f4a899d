"""A month's customers in parts, so that they never stand in memory together, and Spark's executors work at them side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import pandas as pd

from tierbook.cache import NotKept, save_part
from tierbook.params import Params
from tierbook.tables import Tables
from tierbook.workbook.customers import Columns, Customers
from tierbook.workbook.memory import Memory

if TYPE_CHECKING:
    from tierbook.workbook import Workbook

PART = 500_000
"""Most customers of a part. What a month computes of each takes some two gigabytes a million."""
EXECUTOR_PART = 100_000
"""Most of a part on Spark, of which every core of an executor works at one, beside its own memory."""
_STAYS = {"_memory", "first_days", "show"}
"""What a process keeps to itself of a month: what is held of all customers, and how it is shown."""


class Parted(Customers):
    """All customers of a month: what is made of each is made part by part."""

    params: Params
    tables: Tables
    _memory: Memory

    @cached_property
    def _starts(self) -> list[str]:
        """The ids that parts but the first begin with."""
        return self.tables.cache.every(self.kept_history(), "customer_id", self._most)

    @cached_property
    def _most(self) -> int:
        """How many customers a part has, but for the last."""
        return min(PART, EXECUTOR_PART) if self.params.engine.name == "spark" else PART

    def parts(self) -> Iterator[Customers]:
        """The customers in parts of at most `PART`, on Spark `EXECUTOR_PART`, in the order of ids; few customers are one
        part, the month itself."""
        if not self._starts:
            yield self
            return
        bounds = [None, *self._starts, None]
        yield from (Part(self, low, high) for low, high in pairwise(bounds))

    def alone(self, customer_id: str) -> Customers:
        """One customer; without any row where there is none of this id."""
        return Part(self, customer_id, customer_id + "\0")

    def by_part(self, function: Callable[[Customers], Any]) -> Iterator[Any]:
        """What a function gives of each part, in the order of ids: one after the other, or on Spark by its executors.

        All of it is for this process to hold: counts, rows of a few customers, or what a median is of. On Spark function and
        result must pickle.
        """
        return self._each(lambda _, part: function(part))

    def keep_by_part(self, step: str, compute: Callable[[Customers], pd.DataFrame]) -> None:
        """Keep a frame of one row per customer, computed part by part; on Spark the executors write it."""
        self._keep_written(step, lambda folder, number, part: save_part(compute(part), folder, number))

    def kept_numbers(self) -> str:
        """The step that numbers all customers (customer) in the order of their ids, written where it is not yet: engines
        count numbers faster than ids."""
        most = self._most

        def write(folder: Path, number: int, part: Customers) -> None:
            ids = part.history(columns=["customer_id"])
            numbers = np.arange(number * most, number * most + len(ids), dtype="int64")
            save_part(ids.assign(customer=numbers), folder, number)

        self._keep_written(step := "numbers", write)
        return step

    def _keep_written(self, step: str, write: Callable[[Path, int, Customers], None]) -> None:
        self.tables.cache.keep_written(step, lambda folder: len(list(self._each(partial(write, folder)))))

    def _each(self, function: Callable[[int, Customers], Any]) -> Iterator[Any]:
        """What a function gives of each part's number and customers, in their order."""
        first, *others = self.parts()
        yield function(0, first)  # here: what it asks of the whole month is kept before others need it elsewhere
        if not others:
            return
        asked = [(number, part.low, part.high) for number, part in enumerate(others, 1)]
        with self.tables.engine() as engine:
            for (number, *_), (done, made) in zip(
                asked, engine.each(partial(of_part, self, function), asked), strict=True
            ):
                yield made if done else function(number, others[number - 1])

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs of a month: its rules, and where its steps lie; frames are read there."""
        return {name: value for name, value in self.__dict__.items() if name not in _STAYS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _memory=Memory())

    def read(self, step: str, columns: Columns = None) -> pd.DataFrame:
        """A frame that is kept, of all customers; where they are many only the columns asked for."""
        read = self.tables.cache.read_frame
        if self._starts:
            return self._memory.get(f"{step}: {columns}", lambda: read(step, columns))
        found = self._memory.get(step, lambda: read(step))
        return found if columns is None else found[columns]


def of_part(whole: Workbook, function: Callable[[int, Customers], Any], part: tuple) -> tuple[bool, Any]:
    """True and what a function gives of a part, told by number, first id and the id after the last; False where it asks for
    a step that has to be computed by the driver first."""
    number, low, high = part
    try:
        return True, function(number, Part(whole, low, high))
    except NotKept:
        return False, None


class Part(Customers):
    """The customers of a month whose ids lie from ``low`` (None: the first) to before ``high`` (None: the last).

    All that is not one row per customer is the whole month's.
    """

    def __init__(self, whole: Workbook, low: str | None, high: str | None):
        self.whole, self.low, self.high = whole, low, high
        self._memory = Memory()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def only(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        """The rows of an engine's frame whose customer_id lies in the part."""
        if self.low is not None:
            frame = frame.filter(nw.col("customer_id") >= self.low)
        return frame if self.high is None else frame.filter(nw.col("customer_id") < self.high)

    def read(self, step: str, columns: Columns = None) -> pd.DataFrame:
        """The part's rows of a frame that is kept."""
        name = f"{step}: {columns}"
        return self._memory.get(name, lambda: self.whole.tables.cache.read_frame(step, columns, self._bounds))

    def table(self, name: str, columns: Columns = None) -> pd.DataFrame | None:
        """The rows of an optional table that are about the part's customers."""
        return self.whole.tables.table(name, columns, self._bounds)

    @property
    def _bounds(self) -> list[tuple]:
        """The ids of the part as conditions on rows of Parquet."""
        return [("customer_id", sign, at) for sign, at in ((">=", self.low), ("<", self.high)) if at is not None]

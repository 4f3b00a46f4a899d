"""What a workbook holds in memory, and what it reads again."""

import numpy as np
import pandas as pd

from tierbook.workbook.memory import Memory


def frame(rows):
    return pd.DataFrame({"x": np.zeros(rows)}, index=range(rows))  # 8 bytes a row, and the 132 of a RangeIndex


def asked(memory, name, made, calls):
    memory.get(name, lambda: calls.append(name) or made)


def test_what_was_asked_for_longest_ago_goes_first():
    """Two frames of 1,000 rows weigh 16,264 bytes with their indexes; three would be more than 20,000."""
    memory, calls = Memory(20_000), []
    for name in ("a", "b", "a", "c", "a", "c", "b"):
        asked(memory, name, frame(1_000), calls)
    # c sends b away, for a was asked for since; b, read again, sends a away
    assert calls == ["a", "b", "c", "b"]


def test_one_result_is_held_however_large_and_plain_values_weigh_nothing():
    memory, calls = Memory(100), []
    for name, made in (("large", frame(1_000)), ("large", frame(1_000)), ("plain", {"k": 3, "of": frame(0)})):
        asked(memory, name, made, calls)
    assert calls == ["large", "plain"]
    assert memory.get("plain", lambda: None)["k"] == 3

"""How many customers the next test of a share needs: who takes a product, who leaves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tierbook.errors import InputError
from tierbook.insight.campaign import sample_size


def share_tests(shares: pd.DataFrame, expected: pd.Series) -> pd.DataFrame:
    """``shares`` with what a test needs to tell ``expected`` from its ``share``: 80 % power at 5 % two-sided.

    ``shares``: any columns, with customers (who could be tested) and share (the control's, 0 to 1); ``expected``: the
    treated arm's share, row by row. Added: expected; needed, customers per arm of two equal ones (`sample_size`, each
    arm with the variance p (1 - p) of its own share), null where the two agree or one is not known; enough, whether
    there are customers for both arms.

    Raises
    ------
    InputError : a share below 0 or above 1
    """
    control, treated = shares["share"].astype(float), expected.astype(float).set_axis(shares.index)
    bad = pd.concat([control, treated]).loc[lambda share: (share < 0) | (share > 1)]
    if len(bad):
        raise InputError(f"share tests: {len(bad)} shares are not from 0 to 1, as {bad.head(3).tolist()}")
    size = sample_size(treated - control, np.sqrt(control * (1 - control)), np.sqrt(treated * (1 - treated)))
    needed = pd.Series(np.asarray(size, dtype=float), index=shares.index)
    return shares.assign(expected=treated, needed=needed.astype("Int64"), enough=2 * needed <= shares["customers"])


def at_odds(share: pd.Series, ratio: float) -> pd.Series:
    """The share whose odds are ``ratio`` times those of ``share``: 0.5 at twice the odds is 2/3; 0 and 1 stay."""
    return ratio * share / (1 - share + ratio * share)

"""Looking customers up by id, many at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def places(asked: pd.Index | pd.Series, there: pd.Index | pd.Series) -> np.ndarray:
    """Where each id of ``asked`` stands in ``there`` (ids without repeats); -1 for one that does not.

    Arrow does for a million ids in a quarter of the time what pandas' reindex, map and isin do.
    """
    wanted = pa.array(asked)
    if pa.types.is_null(wanted.type):  # not one id is known
        return np.full(len(wanted), -1)
    return pc.index_in(wanted, value_set=pa.array(there).cast(wanted.type)).fill_null(-1).to_numpy()


def of(asked: pd.Index | pd.Series, ids: pd.Series, values: pd.Series) -> pd.Series:
    """``values`` (one for each of ``ids``) of the customers ``asked``, in their order; null for who is not there."""
    place = places(asked, ids)
    index = asked if isinstance(asked, pd.Index) else asked.index
    if not len(ids):
        return pd.Series(None, index=index, dtype=object)
    return values.take(place.clip(min=0)).set_axis(index).where(place >= 0)


def rows(asked: pd.Series, table: pd.DataFrame) -> pd.DataFrame:
    """The rows of ``table`` (customer_id without repeats) of the customers ``asked``, on their index; null for who is not
    there, in customer_id too."""
    found = table.reset_index(drop=True).reindex(places(asked, table["customer_id"]))
    return found.set_axis(asked.index)

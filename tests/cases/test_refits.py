"""Refitting every month beside a frozen scale: by hand, and what must never be counted."""

import pandas as pd
import pytest

from tierbook.cases.refits import COLUMNS, refits
from tierbook.params import Rfm
from tierbook.scores import maps

RULES = Rfm()
SCHEME = maps.find("four_tier")


def window(end, recency, orders, net):
    return pd.DataFrame(
        {"end": end, "customer_id": [f"c{k}" for k in range(len(net))], "recency_days": recency, "window_orders": orders,
         "window_active_days": orders, "window_net": net, "window_cost": float("nan")}
    )  # fmt: skip


@pytest.fixture
def months():
    """Ten customers, money 10 to 100, all with one order 100 days ago: r and f alike for all, m by tenths.

    Recency all alike: nobody lies above a cut, r is 5 for all. m = 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, f = 1: r 5 and m 4 or 5
    make four potential, the other six ordinary. A month later c0 to c4 have spent 100 more each, the rest stayed.
    """
    before = [10.0 * k for k in range(1, 11)]
    after = [money + 100 for money in before[:5]] + before[5:]
    return pd.concat([window(1000, 100, 1, before), window(1030, 100, 1, after)], ignore_index=True)


def test_who_moves_by_the_customer_and_who_by_the_refit(months):
    """Cuts of m at first: 20, 40, 60, 80. On them c0 to c4 (110 to 150) have m 5 now: five moves up to potential, and c6 to c9 stay.

    Fitted anew the cuts are 70, 90, 110, 130: c5 and c6 (60, 70) m 1, c7, c8 (80, 90) m 2, c9 and c0 (100, 110) m 3,
    c1, c2 m 4, c3, c4 m 5. So c1 to c4 move up, c6 to c9 (potential before) fall, but c5: c5 was ordinary (m 3) and is.
    c6 had m 4 (70 > 60) and so was potential: c6, c7, c8, c9 fall by the refit alone, c0 does not rise.
    Moved on the frozen scale: c0 to c4 = 5. Moved by refits: c1 to c4 and c6 to c9 = 8, of them by the refit 4.
    Elsewhere than on the frozen scale: c0, c6 to c9 = 5.
    """
    found = refits(months, RULES, SCHEME)
    assert list(found.columns) == COLUMNS
    assert found.iloc[0].tolist()[1:] == [10, 5, 8, 4, 5]
    assert str(found["end"].iloc[0]) == "1972-10-27"  # day 1030: two years of 365 and 366 days, and 300 days less one


def test_nobody_moves_where_nothing_changes(months):
    same = pd.concat([months[months["end"] == 1000].assign(end=end) for end in (1000, 1030, 1060)])
    assert (refits(same, RULES, SCHEME)[COLUMNS[2:]] == 0).all(axis=None)


def test_prices_times_seven_move_everyone_on_a_frozen_scale_and_no_one_by_refits(months):
    """The refit's own virtue: whatever happens to all alike disappears; that is not hidden here."""
    first = months[months["end"] == 1000]
    inflated = first.assign(end=1030, window_net=first["window_net"] * 7)
    found = refits(pd.concat([first, inflated]), RULES, SCHEME).iloc[0]
    assert found["moved_refit"] == found["by_refit"] == 0
    assert found["moved_frozen"] == found["otherwise"] == 6  # the six ordinary ones have m 5 or 4: 70 is above 60


def test_who_comes_or_leaves_is_no_move_and_rows_may_stand_anyhow(months):
    part = months.drop(index=[0, 19]).sample(frac=1, random_state=3)  # c0 is not there at first, c9 not at last
    found = refits(part, RULES, SCHEME)
    assert found["customers"].tolist() == [8]
    pd.testing.assert_frame_equal(found, refits(months.drop(index=[0, 19]), RULES, SCHEME))

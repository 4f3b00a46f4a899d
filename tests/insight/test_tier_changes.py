"""Changes of tier by month: by hand, and like `movement.moves` on random paths."""

from itertools import pairwise

import numpy as np
import pandas as pd

from tierbook.insight import movement, tier_changes
from tierbook.scores import maps

ORDER = ["high", "potential", "ordinary", "low"]


def path(rows):
    return pd.DataFrame(rows, columns=["end", "customer_id", "tier"])


def by_month(tiers, firsts, ends):
    counts = [
        movement.counted(movement.moves(tiers, firsts, before, now)).assign(end=now) for now, before in pairwise(ends)
    ]
    return tier_changes.by_month(pd.concat(counts), ends, ORDER)


def test_every_change_by_hand():
    rows = [
        (2, "up", "high"), (1, "up", "low"), (2, "down", "low"), (1, "down", "high"), (1, "out", "high"), (2, "in", "high"),
        (2, "same", "high"), (1, "same", "high"), (2, "hidden", "outside"), (1, "hidden", "low"),
    ]  # fmt: skip
    firsts = pd.Series(0, index=["up", "down", "out", "in", "same", "hidden", "never"])
    found = by_month(path(rows).assign(net=1.0), firsts, [2, 1])
    # in a tier before: up, down, out, same, hidden; left: out and hidden; in the best: down, out, same; fallen: down, out
    assert found.loc[0].to_dict() == {"placed": 5, "up": 1, "down": 1, "left": 2, "best": 3, "fallen": 2}


def test_as_the_moves_have_it():
    rng = np.random.default_rng(7)
    ends, customers = [40, 30, 20, 10], [f"c{n}" for n in range(200)]
    rows = [(end, c, rng.choice(ORDER), 1.0) for end in ends for c in customers if rng.random() < 0.7]
    tiers = pd.DataFrame(rows, columns=["end", "customer_id", "tier", "net"]).sample(frac=1, random_state=1)
    # who has a tier at a date has bought by then
    firsts = tiers.groupby("customer_id")["end"].min().reindex(customers).fillna(10).astype("int64")
    found = by_month(tiers, firsts, ends)
    scheme = maps.find("four_tier")
    for ago, (end, start) in enumerate(pairwise(ends)):
        moved = movement.moves(tiers, firsts, start, end)
        placed = moved[moved["from_tier"].isin(ORDER)]
        counts = movement.direction(placed, scheme).value_counts()
        assert found.loc[ago, ["placed", "up", "down", "left"]].tolist() == [
            len(placed),
            counts["up"],
            counts["down"],
            counts["left"],
        ]
        best = placed[placed["from_tier"] == "high"]
        assert found.loc[ago, ["best", "fallen"]].tolist() == [len(best), (best["to_tier"] != "high").sum()]

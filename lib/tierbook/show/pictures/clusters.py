"""Drawing of the clusters' profile: what sets each apart from the average customer, and its name in words."""

from __future__ import annotations

from functools import reduce

import pandas as pd

from tierbook.show.figures import shade, write_cells
from tierbook.show.words import N_, Words

PULLS = {
    "recency_z": N_("Bought more recently"),
    "frequency_z": N_("Buys more often"),
    "monetary_z": N_("Spends more"),
}
WIDEST = 2.0
"""Standard deviations at which the colour is full."""


def cluster_name(words: Words, code: str) -> str:
    """The code of ``cluster_traits.set_apart`` in words: ``recent+frequent`` is "recent, frequent" or 近期购买·高频."""
    traits, _, place = code.partition("#")
    said = [words.term("cluster_trait", trait) for trait in traits.split("+")]
    name = reduce(lambda names, name: words.text("{names}, {name}", names=names, name=name), said)
    return words.text("{name} ({place})", name=name, place=place) if place else name


def draw_profile(ax, words: Words, profile: pd.DataFrame) -> str:
    """Each cluster's distance from the average customer in recency, frequency and monetary value.

    ``profile``: cluster, code, recency_z, frequency_z, monetary_z, customers (``cluster_path.path``), one row at least.
    Recency is turned round, so that blue and a plus mean more in every column.
    """
    z = profile[list(PULLS)] * [-1, 1, 1]
    # orange below, blue above, as the tiers: apart for colour-blind eyes
    shade(ax, z / WIDEST)
    write_cells(ax, z.map(lambda value: words.format(value, "+number.1")).to_numpy())
    ax.set_xticks([0.5, 1.5, 2.5], [words.text(title) for title in PULLS.values()])
    ax.xaxis.tick_top()
    ax.set_yticks([y + 0.5 for y in range(len(z))], [_row(words, row) for row in profile.itertuples()], rotation=0)
    ax.set_xlabel(words.text("Standard deviations from the average customer"))
    ax.set_ylabel("")
    most = profile.sort_values(["customers", "cluster"], ascending=[False, True]).iloc[0]
    return words.text(
        "The largest cluster is {k}: {name}, {n:number|customer|customers}.",
        k=most["cluster"],
        name=cluster_name(words, most["code"]),
        n=most["customers"],
    )


def _row(words: Words, row) -> str:
    name = cluster_name(words, row.code)
    return words.text("{k}  {name} ({n:number})", k=row.cluster, name=name, n=row.customers)

"""What sets each cluster apart: a code of one to three traits, unique within a fit."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from tierbook.scores.clusters import ClusterRule

NOTABLE = 0.5
AVERAGE = "average"
TRAITS = (("recent", "lapsed"), ("rare", "frequent"), ("low_spend", "high_spend"))
"""What a centroid low or high in each feature is called; few days since the last order are ``recent``."""


def set_apart(rule: ClusterRule) -> pd.DataFrame:
    """What sets each cluster apart, by number: cluster, code, recency_z, frequency_z, monetary_z.

    The z of a centroid say how many standard deviations it lies from the mean of all customers, on the log scale (a
    high recency_z is a long silence). ``code`` joins with ``+`` the traits of the two features furthest from zero, of
    those at least 0.5 away; ``average`` where there is none. Clusters that would share a code get the third trait too;
    those that still do are told apart by ``very_`` before the trait in which they differ most, then by ``#2``.
    """
    z = np.asarray(rule.centroids)
    codes = [_code(row, most=2) for row in z]
    codes = [_code(row, most=3) if codes.count(code) > 1 else code for row, code in zip(z, codes, strict=True)]
    codes = _counted(_with_degrees(codes, z))
    table = pd.DataFrame(z, columns=["recency_z", "frequency_z", "monetary_z"])
    table.insert(0, "cluster", rule.numbers)
    table.insert(1, "code", codes)
    return table.sort_values("cluster", ignore_index=True)


def _code(z: np.ndarray, most: int) -> str:
    furthest = sorted(range(len(z)), key=lambda place: -abs(z[place]))[:most]
    return "+".join(TRAITS[p][int(z[p] > 0)] for p in sorted(furthest) if abs(z[p]) >= NOTABLE) or AVERAGE


def _with_degrees(codes: list[str], z: np.ndarray) -> list[str]:
    """``very_`` for the most extreme of the clusters that share a code, in the trait in which they differ most."""
    told = list(codes)
    for code in {code for code, times in Counter(codes).items() if times > 1 and code != AVERAGE}:
        sharing = [place for place, other in enumerate(codes) if other == code]
        traits = {p: trait for p, pair in enumerate(TRAITS) for trait in pair if trait in code.split("+")}
        widest = max(traits, key=lambda p: np.ptp(z[sharing, p]))
        extreme = max(sharing, key=lambda place: abs(z[place, widest]))
        told[extreme] = code.replace(traits[widest], f"very_{traits[widest]}")
    return told


def _counted(codes: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    told = []
    for code in codes:
        seen[code] += 1
        told.append(code if seen[code] == 1 else f"{code}#{seen[code]}")
    return told

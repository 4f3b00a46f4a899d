"""A method tried where the answer is known: effects found on a simulated trial beside those that were planted."""

import numpy as np
import pandas as pd

from tierbook.insight.arms import ALL

RIGHT = {"works_and_pays": 1, "works_not_pays": 1, "harmful": -1}

COLUMNS = ["arm", "tier", "outcome", "n_treated", "n_control", "truth", "effect", "low", "high", "verdict", "found"]


def beside_truth(effects: pd.DataFrame, truth: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """The arm × tier rows of one outcome of `campaign.effects`, each with the planted effect.

    n_treated, n_control, effect, low, high, verdict as there; truth: the planted effect, per customer assigned, in the
    outcome's unit. found: ``right`` (a claim of the true sign), ``wrong`` (of the other sign, or of an effect where
    there is none), ``not_shown`` (no claim). Rows without a planted effect are left out.

    Parameters
    ----------
    truth : arm, tier, outcome, effect (``demo.trials``)
    """
    planted = truth[truth["outcome"] == outcome].rename(columns={"effect": "truth"})[["arm", "tier", "truth"]]
    rows = effects[(effects["outcome"] == outcome) & (effects["tier"] != ALL)]
    rows = rows.astype({"arm": str, "tier": str}).merge(planted.astype({"arm": str, "tier": str}), on=["arm", "tier"])
    claimed = rows["verdict"].map(RIGHT).fillna(0).astype(int)
    rows["found"] = np.select([claimed == 0, claimed * rows["truth"] > 0], ["not_shown", "right"], "wrong")
    return rows[COLUMNS].reset_index(drop=True)

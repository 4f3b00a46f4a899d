"""A whole campaign review beside scikit-uplift + causalml + tea-tasting doing less: 64,000 and a million customers.

    .venv/bin/python tests/benchmarks campaign

Ours: three outcomes, all and three tiers with checks and verdicts, deciles with intervals and the Qini with 1,000 resamples.
Peers: the same effects by tea-tasting, deciles by scikit-uplift, the Qini by causalml with 50 resamples (10 at a million);
they check no split and give no verdict. Effects and their intervals agree to six digits before anything is timed.
"""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from rounds import Side, others, race
from table import Row

warnings.simplefilter("ignore")
OUTCOMES, SEED, ROUNDS = ["response", "orders", "spend"], 5, 3
SIZES = {64_000: 50, 1_000_000: 10}


def draw(customers: int) -> pd.DataFrame:
    """A campaign of equal arms, one buyer in a hundred, and a score that knows a little of who responds."""
    rng = np.random.default_rng(SEED)
    treated = rng.random(customers) < 0.5
    liking = rng.random(customers)
    frame = pd.DataFrame({"customer_id": np.arange(customers), "arm": np.where(treated, "mail", "control")})
    frame["tier"] = rng.choice(["high", "mid", "low"], customers)
    frame["response"] = (rng.random(customers) < 0.10 + 0.08 * treated * liking).astype(float)
    frame["orders"] = (rng.random(customers) < 0.008 + 0.004 * treated).astype(float)
    frame["spend"] = np.where(frame["orders"] > 0, rng.lognormal(4, 1, customers).round(2), 0.0)
    return frame.assign(score=liking.round(3))


def ours(file: str) -> dict:
    """The whole review with this library; the effects."""
    from tierbook.insight.campaign import effects
    from tierbook.insight.targeting import deciles, qini, ranked, versus

    frame = pd.read_parquet(file)
    score, frame = frame["score"], frame.drop(columns="score")

    def review():
        table = effects(frame, "control", OUTCOMES)
        judged = ranked(versus(frame, "mail", "control"), score, "response")
        deciles(judged)
        qini(judged, SEED, 1_000)
        return table[table["tier"] == "all"].set_index("outcome")[["effect", "low", "high"]].astype(float).reset_index()

    return {"review": review}


def uplift(file: str, resamples: int) -> dict:
    """As much of it as the three libraries do; the effects on all customers."""
    import tea_tasting
    from causalml.metrics import qini_score
    from sklift.metrics import qini_auc_score, uplift_by_percentile

    frame = pd.read_parquet(file)
    frame["variant"] = (frame["arm"] == "mail").astype(int)
    names = {
        "metric": "outcome",
        "effect_size": "effect",
        "effect_size_ci_lower": "low",
        "effect_size_ci_upper": "high",
    }

    def review():
        experiment = tea_tasting.Experiment({name: tea_tasting.Mean(name) for name in OUTCOMES})
        tiers = [rows for _, rows in frame.groupby("tier")]
        results = [experiment.analyze(rows) for rows in (frame, *tiers)]
        arguments = frame["response"], frame["score"], frame["variant"]
        uplift_by_percentile(*arguments, std=True)
        qini_auc_score(*arguments)
        judged = pd.DataFrame({"score": frame["score"], "y": frame["response"], "w": frame["variant"]})
        qini_score(judged, return_ci=True, n_bootstrap=resamples, random_state=SEED)
        return results[0].to_pandas()[list(names)].rename(columns=names)

    return {"review": review}


def agree(_: str, results: dict[str, pd.DataFrame]) -> None:
    """Fail unless effects and intervals agree to six digits."""
    first, *others = (frame.set_index("outcome").loc[OUTCOMES, ["effect", "low", "high"]] for frame in results.values())
    for other in others:
        np.testing.assert_allclose(first, other.astype(float), rtol=1e-6)


def rows(quick: bool, peers: dict) -> list[Row]:
    """A row per size."""
    found = []
    for customers, resamples in {2_000: 5}.items() if quick else SIZES.items():
        with tempfile.TemporaryDirectory(prefix="tierbook-") as folder:
            file = Path(folder) / "campaign.parquet"
            draw(customers).to_parquet(file)
            sides = {"ours": Side("campaign", "ours", {"file": str(file)})}
            sides |= others("campaign", peers, ["uplift"], {"file": str(file), "resamples": resamples})
            taken = race(sides, ["review"], 1 if quick else ROUNDS, agree)
        size = f"{customers:,} customers; Qini resamples 1,000, theirs {resamples}"
        row = Row("campaign review", size, taken["ours"]["review"], equal="effects and intervals to 6 digits")
        found.append(row.against(peers["uplift"], taken.get("uplift"), "review"))
    return found

"""A whole campaign review against scikit-uplift + causalml + tea-tasting doing less: 64,000 and a million customers.

    .venv/bin/python tests/benchmarks/campaign.py [customers]

Peers are taken where they are installed: in an environment of their own, with PYTHONPATH=lib and that Python. Ours: three
outcomes, all and three tiers with checks and verdicts, deciles with intervals and the Qini with 1,000 resamples.
Peers: the same effects by tea-tasting, deciles by scikit-uplift, the Qini by causalml with 50 resamples (10 at a million);
they check no split and give no verdict. One process, medians of three rounds; the effects are compared before timing.
"""

import statistics
import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
OUTCOMES, SEED, ROUNDS, SLOW = ["response", "orders", "spend"], 5, 3, 5.0


def draw(customers: int) -> tuple[pd.DataFrame, pd.Series]:
    """A campaign of equal arms, one buyer in a hundred, and a score that knows a little of who responds."""
    rng = np.random.default_rng(SEED)
    treated = rng.random(customers) < 0.5
    liking = rng.random(customers)
    frame = pd.DataFrame({"customer_id": np.arange(customers), "arm": np.where(treated, "mail", "control")})
    frame["tier"] = rng.choice(["high", "mid", "low"], customers)
    frame["response"] = (rng.random(customers) < 0.10 + 0.08 * treated * liking).astype(float)
    frame["orders"] = (rng.random(customers) < 0.008 + 0.004 * treated).astype(float)
    frame["spend"] = np.where(frame["orders"] > 0, rng.lognormal(4, 1, customers).round(2), 0.0)
    return frame, pd.Series(liking.round(3), index=frame.index)


def timed(call) -> tuple[float, object]:
    """Median seconds of three rounds (of one, where it takes over five seconds), and the result."""
    seconds = []
    while len(seconds) < ROUNDS and (not seconds or seconds[0] < SLOW):
        start = time.perf_counter()
        found = call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), found


def ours(frame: pd.DataFrame, score: pd.Series) -> pd.DataFrame:
    """The whole review with this library; the effects."""
    from tierbook.insight.campaign import effects
    from tierbook.insight.targeting import deciles, qini, ranked, versus

    table = effects(frame, "control", OUTCOMES)
    judged = ranked(versus(frame, "mail", "control"), score, "response")
    deciles(judged)
    qini(judged, SEED, 1_000)
    return table


def peers(frame: pd.DataFrame, score: pd.Series, resamples: int) -> pd.DataFrame:
    """As much of it as the three libraries do; the effects on all customers."""
    import tea_tasting
    from causalml.metrics import qini_score
    from sklift.metrics import qini_auc_score, uplift_by_percentile

    numbered = frame.assign(variant=(frame["arm"] == "mail").astype(int))
    experiment = tea_tasting.Experiment({name: tea_tasting.Mean(name) for name in OUTCOMES})
    tiers = [rows for _, rows in numbered.groupby("tier")]
    results = [experiment.analyze(rows) for rows in (numbered, *tiers)]
    arguments = frame["response"], score, numbered["variant"]
    uplift_by_percentile(*arguments, std=True)
    qini_auc_score(*arguments)
    judged = pd.DataFrame({"score": score, "y": frame["response"], "w": numbered["variant"]})
    qini_score(judged, return_ci=True, n_bootstrap=resamples, random_state=SEED)
    return results[0].to_pandas().set_index("metric")


def compare(mine: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Fail unless effects and intervals agree to six digits."""
    total = mine[mine["tier"] == "all"].set_index("outcome")
    for own, other in {"effect": "effect_size", "low": "effect_size_ci_lower", "high": "effect_size_ci_upper"}.items():
        np.testing.assert_allclose(
            total.loc[OUTCOMES, own].astype(float), theirs.loc[OUTCOMES, other].astype(float), rtol=1e-6
        )


def main() -> None:
    """Seconds of both, and how many times as long the peers take."""
    missing = []
    for name in ("sklift", "causalml", "tea_tasting"):
        try:
            __import__(name)
        except ImportError:
            missing.append(name)
            print(f"{name} is not installed here")
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    for customers, resamples in ((64_000, 50), (most, 10)):
        frame, score = draw(customers)
        ours(frame, score)  # imports
        seconds, mine = timed(lambda frame=frame, score=score: ours(frame, score))
        print(f"{customers:9,} customers: ours {seconds:6.3f} s (1,000 resamples)", end="")
        if not missing:
            theirs, found = timed(lambda frame=frame, score=score, b=resamples: peers(frame, score, b))
            compare(mine, found)
            print(f"   peers {theirs:6.3f} s ({resamples} resamples) {theirs / seconds:5.1f} x", end="")
        print()


if __name__ == "__main__":
    main()

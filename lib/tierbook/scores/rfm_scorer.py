"""The RFM scale as a scikit-learn transformer: the same cut points, for pipelines, grid searches and other people's data."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from tierbook.scores.rfm import MEASURES, Learned, Scale, given_cuts, learn, score_shares, score_values

METHODS = ("quantile", "fixed", "mean")


class RFMScorer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scores of recency, frequency and monetary value by cut points on the value, equal customers alike.

    Columns stand by place: recency (days since the last purchase, fewer is better), frequency, monetary value; in any
    further column more is better. A value lies above a cut only when it is greater. A null has no score and is refused:
    leave out customers without an order in the window or, where money is margin, without a cost.

    Parameters
    ----------
    bins : int, default 5
        Scores per column, 2 to 9; ``mean`` always gives two.
    method : {"quantile", "fixed", "mean"}, default "quantile"
        Cut at k/bins of the customers (with five bins, a frequency that over 40 % of them share is cut at 1, 2, 3 and 5
        instead), at `thresholds`, or at the mean.
    thresholds : sequence of sequences of float, optional
        For ``fixed``: bins − 1 cut points for each column.

    Attributes
    ----------
    cut_points_ : list of ndarray
        The rising cut points of each column.
    notes_ : list of str
        What a reader must know: ``frequency_fixed``, ``cuts_coincide_<column>`` (x3, x4 … beyond the third column).
    top_frequency_share_ : float or None
        Share of customers with the commonest frequency (``quantile`` only).
    shares_ : list of list of float
        Share of the fitted customers with score 1, 2 … of each column, to 6 digits.
    n_customers_ : int
        Customers it was fitted on, weights added up and rounded.
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of str
        Their names, where X has names that are all text.

    Examples
    --------
    >>> import numpy as np
    >>> from tierbook.scores.rfm_scorer import RFMScorer
    >>> customers = np.array([[3, 9, 900.0], [12, 4, 350], [40, 2, 80], [200, 1, 20]])
    >>> scorer = RFMScorer(bins=4).fit(customers)
    >>> scorer.cut_points_[0]
    array([ 3., 12., 40.])
    >>> scorer.transform([[3, 9, 900], [41, 1, 21]])
    array([[4, 4, 4],
           [1, 1, 2]], dtype=int8)
    """

    def __init__(self, bins: int = 5, method: str = "quantile", thresholds: Sequence[Sequence[float]] | None = None):
        self.bins = bins
        self.method = method
        self.thresholds = thresholds

    def fit(self, X, y=None, sample_weight=None) -> RFMScorer:
        """Learn the cut points of each column.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_columns)
            Recency, frequency, monetary value, and any further measure; no nulls.
        y : ignored
        sample_weight : array-like of shape (n_customers,), optional
            Customers that each row stands for: weight 3 equals the row three times, weight 0 leaves it out.

        Raises
        ------
        ValueError
            For parameters outside their range, thresholds that do not fit, nulls, weights below zero or all zero, and
            columns named as measures that stand in another place.
        """
        self._check_parameters()
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite=True)
        self._check_places()
        names = [*MEASURES, *(f"x{n}" for n in range(len(MEASURES), X.shape[1]))][: X.shape[1]]
        table, weights = pd.DataFrame(X, columns=names), None
        if sample_weight is not None:
            given = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            if not given.any():
                raise ValueError("sample_weight is zero for every row: there is no customer to fit on")
            weights = pd.Series(given)
        self._keep(self._learn(table, weights))
        self.n_customers_ = len(table) if weights is None else round(float(weights.sum()))
        scores, counts = self._score(table.to_numpy()), None if weights is None else weights.to_numpy()
        classes = [len(cuts) + 1 for cuts in self.cut_points_]
        self.shares_ = [score_shares(scores[:, n], bins, counts) for n, bins in enumerate(classes)]
        return self

    def transform(self, X) -> np.ndarray:
        """Scores of any rows, int8 from 1 to ``bins`` (5 the best of five), one column for each of X."""
        check_is_fitted(self)
        return self._score(validate_data(self, X, dtype=np.float64, ensure_all_finite=True, reset=False))

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Names of the scores: r, f, m, then ``<column>_score`` for each further column."""
        names = super().get_feature_names_out(input_features)
        further = [f"{name}_score" for name in names[len(MEASURES) :]]
        return np.array([*"rfm"[: len(names)], *further], dtype=object)

    def to_scale(self, valid_from: str) -> Scale:
        """The fitted rule as the library's `Scale` of three columns, valid from a day (YYYY-MM-DD)."""
        check_is_fitted(self)
        if self.n_features_in_ != len(MEASURES):
            raise ValueError(f"a Scale holds {len(MEASURES)} columns, this scorer was fitted on {self.n_features_in_}")
        cuts = [points.tolist() for points in self.cut_points_]
        return Scale(
            bins=len(cuts[0]) + 1,
            cuts=dict(zip(MEASURES, cuts, strict=True)),
            method=self.method,
            customers=self.n_customers_,
            valid_from=valid_from,
            source="params" if self.method == "fixed" else "this_month",
            notes=list(self.notes_),
            top_frequency_share=self.top_frequency_share_,
            shares=dict(zip(MEASURES, self.shares_, strict=True)),
        )

    @classmethod
    def from_scale(cls, scale: Scale) -> RFMScorer:
        """A fitted scorer that scores as the scale does; its columns are named recency_days, frequency, monetary."""
        cuts = [list(scale.cuts[measure]) for measure in MEASURES]
        scorer = cls(scale.bins, scale.method, cuts if scale.method == "fixed" else None)
        scorer._keep(Learned(scale.cuts, list(scale.notes), scale.top_frequency_share))
        scorer.n_customers_ = scale.customers
        scorer.shares_ = [list(scale.shares.get(measure, [])) for measure in MEASURES]
        scorer.n_features_in_ = len(MEASURES)
        scorer.feature_names_in_ = np.array(MEASURES, dtype=object)
        return scorer

    def _keep(self, learned: Learned) -> None:
        self.cut_points_ = [np.asarray(points, dtype=float) for points in learned.cuts.values()]
        self.notes_ = learned.notes
        self.top_frequency_share_ = learned.top_frequency_share

    def _check_parameters(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method={self.method!r}: write one of {', '.join(METHODS)}")
        if not isinstance(self.bins, numbers.Integral) or not 2 <= self.bins <= 9:
            raise ValueError(f"bins={self.bins!r}: write a whole number from 2 to 9")
        if self.method == "fixed" and self.thresholds is None:
            raise ValueError("method='fixed' needs thresholds: bins - 1 cut points for each column")

    def _check_places(self) -> None:
        """Days since the last purchase taken for money would score the wrong way round without a word."""
        for place, name in enumerate(getattr(self, "feature_names_in_", [])):
            if name in MEASURES and MEASURES.index(name) != place:
                raise ValueError(f"column {name!r} stands at place {place}; the order is {', '.join(MEASURES)}")

    def _learn(self, table: pd.DataFrame, weights: pd.Series | None) -> Learned:
        if self.method != "fixed":
            return learn(table, int(self.bins), self.method, weights)
        if len(self.thresholds) != table.shape[1]:
            raise ValueError(f"thresholds for {len(self.thresholds)} columns were given, X has {table.shape[1]}")
        cuts = {n: given_cuts(points, int(self.bins)) for n, points in zip(table, self.thresholds, strict=True)}
        return Learned(cuts, [], None)

    def _score(self, values: np.ndarray) -> np.ndarray:
        scores = [score_values(values[:, n], cuts, n == 0) for n, cuts in enumerate(self.cut_points_)]
        return np.column_stack(scores)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

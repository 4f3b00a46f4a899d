"""MBG/NBD by maximum likelihood: as BG/NBD, but a customer may be lost right after the first purchase."""

from tierbook.scores.purchases import BetaGeoNBD


class ModifiedBetaGeoNBD:
    """MBG/NBD model of repeat purchases (Batislam, Denizel, Filiztekin 2007, Intern. J. of Research in Marketing 24).

    A customer drops out with the same probability after each purchase, the first included, so that
    ``probability_alive`` is below 1 without a repeat purchase too, where BG/NBD says 1. Parameters, learned
    attributes, methods and refusals are those of ``BetaGeoNBD``.

    Examples
    --------
    >>> import numpy as np
    >>> x, t_x, T = np.repeat([[0, 0, 90], [1, 40, 200], [2, 250, 320], [6, 290, 300]], [80, 40, 30, 30], axis=0).T
    >>> model = ModifiedBetaGeoNBD().fit(x, t_x, T)
    >>> bool(model.probability_alive([0], [0], [300])[0] < 1)
    True
    """

    dropout_at_first = 1

    def __init__(self, min_repeat_customers=50):
        self.min_repeat_customers = min_repeat_customers

    # One text for both models: it asks the model for its parameters and ``dropout_at_first`` only.
    fit = BetaGeoNBD.fit
    probability_alive = BetaGeoNBD.probability_alive
    expected_purchases = BetaGeoNBD.expected_purchases
    count_probability = BetaGeoNBD.count_probability
    log_count_probability = BetaGeoNBD.log_count_probability
    count_interval = BetaGeoNBD.count_interval
    count_bounds = BetaGeoNBD.count_bounds
    randomised_pit = BetaGeoNBD.randomised_pit
    pit_histogram = BetaGeoNBD.pit_histogram

"""Small cells suppressed: which counts of a table must stay hidden so that nobody can work out a small one."""

from __future__ import annotations

from itertools import product

import numpy as np

from tierbook.insight.groups import SMALL


def suppressed(counts: np.ndarray) -> np.ndarray:
    """Which cells of a value × tier × stage table of counts must not be published (true).

    Primary: counts of 1–9. Complementary: further cells, the smallest first, until no primary count follows from the
    published cells and the totals a reader may hold: the tier × stage table of all customers, and the totals by tier
    and by stage of the values that `totals_told` names. What follows is judged by linear programming (the attacker's
    problem of Fischetti & Salazar, Management Science 47(7), 2001): of all tables from 0 upward with those totals and
    published cells, some must differ in the count by at least 1.

    A count that all customers' own table gives away (no other value has anybody there) is null, though it can be read
    there.
    """
    flat, lines = counts.ravel(), _lines(counts, totals_told(counts))
    hidden = (flat > 0) & (flat < SMALL)
    known = hidden & _can_vary(flat, np.ones(flat.size, dtype=bool), lines, hidden)
    # what varies once goes on to: hiding more only adds tables
    while (known := known & ~_can_vary(flat, hidden, lines, known)).any():
        before = hidden.copy()
        for cell in np.flatnonzero(known):
            beside = lines[lines[:, cell] > 0].any(axis=0)
            if not (beside & hidden & ~before).any():
                hidden[_further(cell, flat, hidden, lines)] = True
    return hidden.reshape(counts.shape)


def totals_told(counts: np.ndarray) -> np.ndarray:
    """The values of a value × tier × stage table whose totals by tier and by stage a page may show (true).

    Not those of fewer than 10 customers, nor those whose totals are as good as a small cell (all customers of the value
    in one tier); and because the last value follows from all the others, the smallest others are kept back with them
    until it does not. `slices.side_by_side` tells two totals of every value nevertheless: the best tier's and those at risk.
    """
    sizes = counts.sum(axis=(1, 2))
    told, every = sizes >= SMALL, np.ones(counts.size, dtype=bool)
    small = ((counts > 0) & (counts < SMALL)).ravel()
    # the others all customers' own table gives away, whatever is kept back
    small &= _can_vary(counts.ravel(), every, _lines(counts, told & False), small)
    while told.any():
        fixed = small & ~_can_vary(counts.ravel(), every, _lines(counts, told), small)
        lost = fixed.reshape(counts.shape).any(axis=(1, 2))
        if not lost.any():
            break
        told &= ~lost
        if told.any():
            told[np.argmin(np.where(told, sizes, sizes.sum() + 1))] = False
    return told


def _lines(counts: np.ndarray, told_of: np.ndarray) -> np.ndarray:
    """Totals × cells, 1 where a cell is in the total: over the values, and of the values ``told_of`` by tier and stage.

    An axis of one place has no totals of its own.
    """
    cells = np.arange(counts.size).reshape(counts.shape)
    held = (cells, cells[told_of], cells[told_of])
    sums = [np.moveaxis(c, axis, -1).reshape(-1, c.shape[axis]) for axis, c in enumerate(held) if c.shape[axis] > 1]
    members = [line for axis in sums for line in axis]
    lines = np.zeros((len(members), counts.size))
    for row, line in enumerate(members):
        lines[row, line] = 1
    return lines


def _can_vary(counts: np.ndarray, hidden: np.ndarray, lines: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The hidden cells, all of the ``wanted`` looked into, that another table with the same totals fills otherwise."""
    from scipy.optimize import linprog

    cells = np.flatnonzero(hidden)
    rows = lines[:, cells]
    rows = rows[rows.any(axis=1)]
    vary = np.zeros(len(cells), dtype=bool)
    for place, sign in product(np.flatnonzero(wanted[cells]), (1, -1)):
        if not vary[place]:
            goal = np.where(np.arange(len(cells)) == place, sign, 0)
            found = linprog(goal, A_eq=rows, b_eq=rows @ counts[cells], bounds=(0, counts.sum() + SMALL))
            vary |= np.abs(found.x - counts[cells]) > 1 - 1e-6
    free = np.zeros(counts.size, dtype=bool)
    free[cells] = vary
    return free


def _further(cell: int, counts: np.ndarray, hidden: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """The cell to hide next for the sake of one: beside it where it stands alone, else beside it, else anywhere, or none.

    Preferred are cells whose own totals have a hidden cell already, then small counts; a zero comes last, and only
    where none of its own totals is zero.
    """
    of_zero = lines[lines @ counts == 0].any(axis=0)
    through = lines[lines[:, cell] > 0]
    places = [through[through @ hidden == 1].any(axis=0), through.any(axis=0), np.ones(counts.size, dtype=bool)]
    found = [np.flatnonzero(place & ~hidden & ~of_zero) for place in places]
    choice = next((near for near in found if near.size), found[-1])
    opened = (lines[lines @ hidden == 0] > 0).sum(axis=0)[choice]
    size = np.where(counts[choice] > 0, counts[choice], counts.sum() + 1)
    return choice[np.lexsort([size, opened])[:1]]

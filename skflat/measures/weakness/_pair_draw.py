"""Random choice of the (probe, outcome) pairs within a budget, and their share of open pairs."""

from typing import NamedTuple

import numpy as np

from .._budget import factorization_cost, least_squares_cost
from ..feasibility import WIDE, step_cost

# Average number of steps of a walk, with few features and with many.
N_STEPS, N_STEPS_OF_MANY = 4, 1.2


class PairDraw(NamedTuple):
    """Pairs to decide: some outcomes of some probes.

    Attributes
    ----------
    asked : ndarray of bool of shape (n_probes, n_classes)
        Whether each pair is to be decided. The probes are the first ones of all probes.
    known : ndarray of int of shape (n_probes,)
        The outcome that a known map gives to each probe. This pair is always among those to decide.
    """

    asked: np.ndarray
    known: np.ndarray

    def shares(self, is_open):
        """An unbiased estimate of each probe's share of open outcomes.

        The known outcome counts as it is. The others drawn stand for all others.
        """
        each, n_classes = np.arange(len(self.known)), self.asked.shape[1]
        drawn = self.asked.copy()
        drawn[each, self.known] = False
        others = (is_open & drawn).sum(axis=1) / np.maximum(drawn.sum(axis=1), 1)
        return (is_open[each, self.known] + (n_classes - 1) * others) / n_classes

    def error(self, shares, is_open):
        """Standard error of the mean share, from the probes and the pairs drawn.

        If all pairs drawn are open, or none is, they do not vary, but other pairs may differ. So
        the error has a lower bound. With ``x`` open pairs among ``n`` drawn ones, it is the error
        of the share ``(x + 1) / (n + 2)`` (Agresti and Coull).
        """
        n_probes, n_classes = self.asked.shape[0], self.asked.shape[1]
        spread = shares.std(ddof=1) / np.sqrt(n_probes) if n_probes > 1 else np.nan
        if self.asked.all():
            return float(spread)
        n, n_open = self.asked.sum() - n_probes, (is_open & self.asked).sum() - n_probes
        share = (max(n_open, 0) + 1) / (n + 2)
        least = (1 - 1 / n_classes) * np.sqrt(share * (1 - share) / (n + 2))
        return float(np.fmax(spread, least))


def draw_pairs(shape, n_classes, known, budget, rng):
    """Draw as many pairs as a budget allows, or return None if it does not allow two probes.

    The outcomes of a probe are drawn in an order that does not depend on the budget, so a larger
    one asks for the same pairs and more.

    Parameters
    ----------
    shape : tuple of int
        Rows and features of the readings.
    n_classes : int
        At least 3.
    known : ndarray of int of shape (n_probes,)
    budget : float
    rng : numpy.random.Generator
    """
    n_probes = len(known)
    # Always a full permutation per probe: a larger budget then uses a longer part of the same one.
    orders = np.argsort(rng.random((n_probes, n_classes)), axis=1)
    n_pairs = (budget - _fixed_cost(shape, n_classes)) / pair_cost(shape, n_classes)
    if n_pairs < min(2, n_probes):
        return None
    n_probes = int(min(n_probes, n_pairs))
    n_others = int(min(n_pairs // n_probes, n_classes - 1))
    known, orders = known[:n_probes], orders[:n_probes]
    others = orders[orders != known[:, None]].reshape(n_probes, -1)[:, :n_others]
    asked = np.zeros((n_probes, n_classes), dtype=bool)
    np.put_along_axis(asked, np.column_stack([known, others]), True, axis=1)
    return PairDraw(asked, known)


def n_affordable_probes(shape, n_probes, budget):
    """Number of probes of two classes, or of a regression, that a budget allows.

    It is 0 if the budget allows only one of several, because one probe has no standard error.
    """
    n_rows, width = shape[0], shape[1] + 1
    # Fixed: both bases. Per probe: about 25 rounds of two products, and a proof for some probes.
    fixed = 2 * factorization_cost(n_rows, width)
    each = 100 * n_rows * width + least_squares_cost(2 * width, width) / 8
    n_affordable = int(np.clip((budget - fixed) / each, 0, n_probes))
    return n_affordable if n_affordable >= min(2, n_probes) else 0


def _fixed_cost(shape, n_classes):
    """Multiplications of the basis, and of verifying the first map."""
    n_rows, width = shape[0], shape[1] + 1
    return factorization_cost(n_rows, width) + 3 * n_rows * width * n_classes


def pair_cost(shape, n_classes):
    """Multiplications of a two-class proof and a walk, and half as many for the remaining pairs."""
    n_rows, width = shape[0], shape[1] + 1
    proof = least_squares_cost(2 * n_rows / n_classes, width)
    n_steps = N_STEPS if width <= WIDE else N_STEPS_OF_MANY
    return 1.5 * (proof + n_steps * step_cost(n_rows, width, n_classes))

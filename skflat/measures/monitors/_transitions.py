"""A callback that records the complexity of the curvature, and where training changes."""

from types import SimpleNamespace

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ...objective import ExactTrace, HiddenLayer, capability
from ...problems import as_problem
from .._measure import sample_rows
from ..curvature import HessianProduct, lanczos
from ..outputs import EffectiveRank
from ._change_points import change_points
from ._paid import PaidMonitor

#: Lanczos steps of a record.
STEPS = 10
QUANTITIES = ("complexity", "effective_rank", "feature_rank")


class TransitionMonitor(PaidMonitor):
    """A scikit-learn callback that looks for transitions in training, within a share of its cost.

    Training may change its course, for example from memorising to a simpler rule. TRACE (Aljaafari
    and others, arXiv:2505.17998) follows the spectrum of the Hessian of the loss for it. Let ``p``
    be the absolute eigenvalues divided by their sum. A record has

    * ``effective_rank``, the exponential of the entropy ``-sum p log p``: the number of directions
      that share the curvature;
    * ``complexity``, the trace divided by the effective rank: the curvature of such a direction.
      The code of TRACE calls it the complexity score;
    * ``feature_rank``, the effective rank of the last hidden layer, see `EffectiveRank`. It is NaN
      for models without one;
    * ``loss``, the unpenalised mean loss on the measured rows.

    The code of TRACE takes these numbers of some leading eigenvalues. Here they are of the whole
    spectrum. What TRACE finds with labelled probes of language has no counterpart here.

    The monitor needs scikit-learn 1.9 or later and a model with a Hessian. The result of the fit is
    equal to the bit with and without the callback.

    Parameters
    ----------
    share : float, default=0.1
        The largest share of the fit's cost, counted in rows differentiated; a Hessian product
        counts 2. A record is taken as soon as what earlier epochs have left pays for it.
    max_samples : int, default=200
        Number of training rows to measure on, the same ones for every record. Fewer rows allow more
        records: there is one after every ``20 max_samples / (share n_samples)`` epochs.

    Raises
    ------
    ImportError
        If scikit-learn is older than 1.9.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    A record takes ten Hessian products: Lanczos quadrature from one random vector. It is the same
    vector for all records, so its error hardly moves between them. The absolute level is rough. The
    trace is exact where there is a closed form. With up to ten parameters all is exact. Beside it a
    record costs three forward passes.

    The measured numbers are invariant under isometries of the parameters only.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier, TransitionMonitor
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = TransitionMonitor(max_samples=50)
    >>> clf = FlatMLPClassifier((8,), max_iter=2000, measures=None, random_state=0)
    >>> clf = clf.set_callbacks(monitor).fit(X, y)
    >>> list(monitor.table())
    ['fit', 'epoch', 'complexity', 'effective_rank', 'feature_rank', 'loss']
    >>> bool((monitor.table()["effective_rank"] >= 1).all())
    True
    """

    columns = (*QUANTITIES, "loss")

    def __init__(self, share=0.1, *, max_samples=200):
        super().__init__(share, max_samples)

    def _begun(self):
        return SimpleNamespace(rows=0.0, n_products=STEPS)

    def _record(self, estimator, X, y, sample_weight=None, known=None):
        rows = sample_rows(X, y, sample_weight, self.max_samples, random_state=0)
        problem = as_problem(estimator, *rows)
        trace, rank = spectrum(problem)
        has_features = capability(problem.objective, HiddenLayer) is not None
        return {
            "complexity": trace / rank,
            "effective_rank": rank,
            "feature_rank": EffectiveRank().evaluate(problem).value if has_features else np.nan,
            "loss": float(problem.loss),
        }

    def transitions(self, what="complexity", *, fit=0, most=3):
        """The epochs at which a curve of the last fit changes, see `change_points`.

        Parameters
        ----------
        what : {'complexity', 'effective_rank', 'feature_rank'}, default='complexity'
        fit : int, default=0
            The number of the network if one call fits several.
        most : int, default=3
            Largest number of transitions.

        Returns
        -------
        ndarray of int of shape (n_transitions,)
            The recorded epochs at which a new piece of the curve begins.

        Raises
        ------
        ValueError
            If ``what`` is none of these, or there is no such fit.
        """
        epochs, values = self.curve(what, fit)
        return change_points(values, epochs, most=most)

    def curve(self, what="complexity", fit=0):
        """One quantity over the epochs of a fit.

        Parameters
        ----------
        what : {'complexity', 'effective_rank', 'feature_rank'}, default='complexity'
        fit : int, default=0

        Returns
        -------
        epochs : ndarray of int of shape (n_records,)
        values : ndarray of shape (n_records,)

        Raises
        ------
        ValueError
            If ``what`` is none of these, or there is no such fit.
        """
        if what not in QUANTITIES:
            raise ValueError(f"what must be one of {QUANTITIES}, got {what!r}.")
        table = self.table()
        rows = table["fit"] == fit
        if not rows.any():
            n_fits = table["fit"].max() + 1
            raise ValueError(f"fit must be an integer >= 0 and < {n_fits}, got {fit!r}.")
        return table["epoch"][rows], table[what][rows]


def spectrum(problem):
    """The trace of a problem's Hessian, and the effective rank of its spectrum, at least 1.

    Sums over the eigenvalues are quadratures from one vector of random signs.
    """
    size = len(problem.w)
    start = np.random.default_rng(0).choice([-1.0, 1.0], size=size) / np.sqrt(size)
    diagonal, beside, _ = lanczos(HessianProduct(problem), start, min(STEPS, size))
    nodes, vectors = eigh_tridiagonal(diagonal, beside[:-1])
    shares = size * vectors[0] ** 2
    exact = capability(problem.objective, ExactTrace)
    trace = shares @ nodes
    if exact is not None:
        trace = problem.objective.data.mean(exact.of_rows(problem.w).sum(axis=1))
    return float(trace), effective_number_of(np.abs(nodes), shares)


def effective_number_of(sizes, counts):
    """Exponential of the entropy of numbers that are there several times, divided by their sum."""
    total = counts @ sizes
    if not total > 0:
        return 1.0
    logs = np.log(np.where(sizes > 0, sizes, 1.0))
    return float(max(1.0, np.exp(np.log(total) - counts @ (sizes * logs) / total)))

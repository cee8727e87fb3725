"""How fast training loses what gradient flow keeps."""

from dataclasses import dataclass
from itertools import islice

import numpy as np
from sklearn.utils import check_random_state, gen_batches

from ..objective import Objective
from ..problems import as_problem


@dataclass(frozen=True)
class Drift:
    """What became of the conserved quantities over some steps of gradient descent.

    Attributes
    ----------
    steps : ndarray of shape (n_records,)
        Steps taken before each record; the first is 0.
    values : ndarray of shape (n_records, n_quantities)
        The quantities, all in one vector.
    relative : ndarray of shape (n_records,)
        ``|C - C_0| / |C_0|``.
    expected : ndarray of shape (n_records, n_quantities)
        What theory says: the start, plus ``rate^2 C(step)`` of every step, minus the decay by the
        penalty. For quadratic quantities it is exact.
    by_steps, by_penalty : ndarray of shape (n_records,)
        Norms of these two parts, relative to that of the start.
    loss : ndarray of shape (n_records,)
    """

    steps: np.ndarray
    values: np.ndarray
    relative: np.ndarray
    expected: np.ndarray
    by_steps: np.ndarray
    by_penalty: np.ndarray
    loss: np.ndarray


def conservation_drift(
    estimator,
    X,
    y=None,
    sample_weight=None,
    *,
    learning_rate=1e-3,
    n_steps=1000,
    alpha=0.0,
    batch_size=None,
    n_records=50,
    random_state=0,
):
    """How far plain gradient descent from here moves what gradient flow keeps.

    A step ``w - a v`` changes a quadratic conserved quantity by ``a^2 C(v)`` exactly, for its
    gradient is orthogonal to that of the loss: over a given time ``a n_steps`` the drift is
    proportional to the rate. Noise of small batches makes ``v`` larger, and so the drift. The L2
    penalty has a part along the gradient of ``C``: ``C`` decays like ``exp(-2 alpha t / n)``, as
    far as it is made of penalised weights.

    Parameters
    ----------
    estimator : fitted estimator
        Where the descent starts: a network, ours or scikit-learn's, or a Pipeline that ends in one.
    X, y, sample_weight
        The rows, as in ``fit``.
    learning_rate : float, default=1e-3
        Length of a step in units of the gradient.
    n_steps : int, default=1000
    alpha : float, default=0.0
        L2 penalty as in scikit-learn, divided by the weight of the rows of a batch.
    batch_size : int, default=None
        Rows of a step, in shuffled order. None is all rows: no noise.
    n_records : int, default=50
        Records kept, about.
    random_state : int, RandomState instance or None, default=0
        Draws the batches.

    Returns
    -------
    Drift

    Notes
    -----
    It costs ``n_steps`` gradients of a batch. The estimator is not changed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.symmetry import conservation_drift
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((4,), solver="lbfgs", alpha=1, max_iter=2000, random_state=0).fit(X, y)
    >>> whole = conservation_drift(clf, X, y, n_steps=300)
    >>> half = conservation_drift(clf, X, y, n_steps=600, learning_rate=5e-4)
    >>> bool(1.8 < whole.relative[-1] / half.relative[-1] < 2.2)
    True
    """
    problem = as_problem(estimator, X, y, sample_weight)
    descent = _KeptDescent(problem, learning_rate, alpha)
    batches = _batches(problem.objective, batch_size, check_random_state(random_state))
    every, records = max(1, n_steps // n_records), [(0, *descent.record())]
    for step, batch in enumerate(islice(batches, n_steps), start=1):
        descent.step(batch)
        if step % every == 0 or step == n_steps:
            records.append((step, *descent.record()))
    return _drift(records)


class _KeptDescent:
    """Plain gradient descent that keeps account of what it does to the conserved quantities."""

    def __init__(self, problem, rate, alpha):
        plain = problem.objective
        model, loss, data = plain.model, plain.loss_function, plain.data
        self.plain, self.rate, self.symmetry = plain, rate, model.symmetry
        self.penalized = Objective(model, loss, data.X, data.y, data.weight, alpha=alpha)
        self.w = problem.w.copy()
        self.of_steps, self.of_penalty = np.zeros((2, len(self.quantities(self.w))))

    def quantities(self, w):
        """All conserved quantities at ``w``, quadratic functions of it, in one vector."""
        parts = [np.ravel(each) for each in self.symmetry.conserved(w).values()]
        return np.concatenate(parts) if parts else np.zeros(0)

    def step(self, batch):
        """One step, by which ``C(w - a v) = C(w) - 2 a C(w, v) + a^2 C(v)``."""
        w, rate = self.w, self.rate
        _, v = self.penalized.loss_gradient(w, batch)
        if self.penalized.alpha:
            # Of C(w, v) only the part of the penalty is left.
            pull = v - self.plain.loss_gradient(w, batch)[1]
            self.of_penalty -= rate / 2 * (self.quantities(w + pull) - self.quantities(w - pull))
        self.of_steps += rate**2 * self.quantities(v)
        w -= rate * v

    def record(self):
        """Quantities, both parts of their change, and the loss."""
        parts = self.quantities(self.w), self.of_steps.copy(), self.of_penalty.copy()
        return *parts, self.plain.loss(self.w)


def _batches(objective, size, random_state):
    """Batches without end, in a new order every epoch."""
    n = objective.n_rows
    while size is None:
        yield objective.batch()
    while True:
        order = random_state.permutation(n)
        for rows in gen_batches(n, min(size, n)):
            yield objective.batch(order[rows])


def _drift(records):
    steps, values, of_steps, of_penalty, loss = (
        np.array(each) for each in zip(*records, strict=True)
    )
    start = values[0]
    size = np.linalg.norm(start) or 1.0
    return Drift(
        steps=steps,
        values=values,
        relative=np.linalg.norm(values - start, axis=1) / size,
        expected=start + of_steps + of_penalty,
        by_steps=np.linalg.norm(of_steps, axis=1) / size,
        by_penalty=np.linalg.norm(of_penalty, axis=1) / size,
        loss=loss,
    )

"""What gradient flow keeps, and how fast training loses it."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state, gen_batches

from ..objective import Objective
from ..problems import as_problem, fitted_model
from ._flatten import innermost


def conserved_quantities(estimator):
    """What gradient flow of any loss of the network's function keeps.

    To every symmetry by symmetric matrices belongs a quadratic function of the parameters whose
    gradient is orthogonal to that of the loss (Josz, arXiv:2509.11386):

    * relu, leaky relu: ``|w_in|^2 + b^2 - |w_out|^2`` of every hidden unit;
    * identity: ``[W; b]' [W; b] - W_out W_out'`` of every hidden layer, a matrix;
    * factorizations of two kinds: ``X'X - Y'Y``;
    * softmax: the sum of the last layer's weights, and intercepts, over the classes.

    Units of other activations have isometries and flips alone, which conserve nothing.

    Parameters
    ----------
    estimator : fitted estimator
        A network, ours or scikit-learn's, ``FlatMatrixFactorization``, or a Pipeline that ends in
        one of them.

    Returns
    -------
    dict of str to ndarray
        By layer, in double precision: ``"layer 1"`` and so on for hidden layers, ``"factors"``,
        ``"softmax"``.

    Raises
    ------
    TypeError
        If the estimator is none of these.

    See Also
    --------
    conservation_drift : How training changes them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.symmetry import conserved_quantities, flatten
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((4,), solver="lbfgs", alpha=1, max_iter=2000, random_state=0).fit(X, y)
    >>> {name: array.shape for name, array in conserved_quantities(clf).items()}
    {'layer 1': (4,), 'softmax': (5,)}
    >>> balanced = flatten(clf, X, y, criterion="norm")
    >>> bool(abs(conserved_quantities(balanced)["layer 1"]).max() < 1e-9)
    True
    """
    model, w = fitted_model(estimator)
    shared = {"softmax": model.common(w)} if _has_softmax(estimator) else {}
    return model.symmetry.conserved(w) | shared


def _has_softmax(estimator):
    return getattr(innermost(estimator), "out_activation_", None) == "softmax"


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
    plain, w = problem.objective, problem.w.copy()
    data, symmetry = plain.data, plain.model.symmetry
    objective = Objective(
        plain.model, plain.loss_function, data.X, data.y, data.weight, alpha=alpha
    )

    def quantities(vector):
        parts = [np.ravel(each) for each in symmetry.conserved(vector).values()]
        return np.concatenate(parts) if parts else np.zeros(0)

    start = quantities(w)
    of_steps, of_penalty, records = np.zeros_like(start), np.zeros_like(start), []
    batches = _batches(objective, batch_size, check_random_state(random_state))
    every = max(1, n_steps // n_records)
    for step in range(n_steps + 1):
        if step % every == 0 or step == n_steps:
            loss = plain.loss(w)
            records.append((step, quantities(w), of_steps.copy(), of_penalty.copy(), loss))
        if step == n_steps:
            break
        batch = next(batches)
        _, v = objective.loss_gradient(w, batch)
        pull = v - plain.loss_gradient(w, batch)[1] if alpha else np.zeros_like(w)
        # C(w - a v) = C(w) - 2 a C(w, v) + a^2 C(v), and C(w, v) is left of the penalty alone.
        of_penalty -= learning_rate / 2 * (quantities(w + pull) - quantities(w - pull))
        of_steps += learning_rate**2 * quantities(v)
        w -= learning_rate * v
    return _drift(start, records)


def _batches(objective, size, random_state):
    """Batches without end, in a new order every epoch."""
    n = objective.n_rows
    while size is None:
        yield objective.batch()
    while True:
        order = random_state.permutation(n)
        for rows in gen_batches(n, min(size, n)):
            yield objective.batch(order[rows])


def _drift(start, records):
    steps, values, of_steps, of_penalty, loss = (
        np.array(each) for each in zip(*records, strict=True)
    )
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

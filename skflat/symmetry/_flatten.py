"""The flattest of all networks with the same function."""

from ..objective import CRITERIA, Orbit, require
from ..problems import as_problem
from ._flow import along_the_flow, check_flow
from ._parameters import innermost, with_parameters


def flatten(estimator, X, y=None, sample_weight=None, *, criterion="trace", method="oneshot"):
    """The flattest estimator with the same function.

    Many parameters have one function: the units of a relu network can be rescaled, a linear
    network and a factorization have a whole matrix between any two layers. The Hessian differs
    from one to the next. So a sharpness of the parameters says nothing about the function, unless
    it is taken at the flattest of them. This is that point.

    **Relu networks.** Scales ``s_j`` of the hidden units multiply the Hessian's diagonal entry of
    the weight from unit i to unit j by ``s_i^2 / s_j^2``. A sum of such terms is a sum of
    exponentials of linear functions of ``log s``. Each of them is convex, and so is their sum: the
    minimum is global. Its Hessian is four times a graph Laplacian, grounded at every live unit by
    its intercept, hence positive definite: the minimum is unique. It is found by balancing: cycles
    of the closed form ``s_j^4 = in_j / out_j``, then Newton's method, until ``|out - in| <= 1e-10
    (out + in)`` for every unit.

    A unit that is 0 on all rows, or that the loss does not depend on, has the same trace at any
    scale; its norms are balanced, so that the end is one point. A unit with input of which no
    weight reaches the loss has no flattest scale: the trace falls as it shrinks. It is left as it
    is, with a warning.

    Parameters
    ----------
    estimator : fitted estimator
        Ours, scikit-learn's ``MLPClassifier`` or ``MLPRegressor``, ``FlatMatrixFactorization``, or
        a Pipeline that ends in one of them. It is not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows of which the curvature is taken, usually the training rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Targets. None where ``fit`` had none.
    sample_weight : array-like of shape (n_samples,), default=None
    criterion : {'trace', 'norm', 'lambda_max'}, default='trace'
        What is least at the flattest point.

        * ``'trace'``: the trace of the Hessian of the unpenalised mean loss (of a network of
          piecewise-linear units; it is that of the Gauss-Newton matrix).
        * ``'norm'``: the squared norm of the parameters, the point where the conserved quantities
          of relu networks are 0. Of relu networks it **often sharpens**: the trace rises on most
          trained networks. Of logistic units it is not defined.
        * ``'lambda_max'``: the largest eigenvalue of the Gauss-Newton matrix, whose logarithm is
          convex in ``log s`` but has no derivative where eigenvalues meet. The search starts at the
          trace's optimum and its result is an upper bound. Linear networks and factorizations get
          balanced norms, which is the minimum if the fit is exact and the loss squared.
    method : {'oneshot', 'flow'}, default='oneshot'
        ``'flow'`` goes to the same point along `flattening_flow`, which is slower. It does not move
        units of which the trace does not depend, and has no ``'lambda_max'``.

    Returns
    -------
    estimator
        A fitted copy of the same class with equal predictions, up to rounding: to about 1e-14
        relative in double precision. It has neither the measurements of the old parameters nor the
        state of an optimizer. Its ``flattening_`` is a dict with ``criterion``, ``kind``
        (``'exact'`` or ``'upper_bound'``), ``converged``, and the numbers of steps and of units
        whose infimum is not attained.

    Raises
    ------
    TypeError
        If the estimator is neither a network nor a factorization.
    ValueError
        If a parameter is not one of these, or the criterion is not defined for the units.

    Warns
    -----
    ConvergenceWarning
        If the minimum was not reached.
    UserWarning
        If units have no flattest scale.

    See Also
    --------
    skflat.measures.orbit_minimal : Any measure at the flattest point.
    flattening_flow : The way there.
    sharpen : The way up.

    Notes
    -----
    Of relu networks it costs a forward pass and a backward pass for every output, without the first
    layer. **What it buys**: noise on the parameters raises the error less. **What it costs**: the
    scales of the units of a layer become uneven, so rounding a whole layer to a few bits hurts
    more (``benchmarks/flatten.py`` measures both). Networks of tanh units and others have
    isometries only; they come back as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import hessian_trace
    >>> from skflat.symmetry import flatten, rescale
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((8, 6), max_iter=2000, random_state=0).fit(X, y)
    >>> flat, again = flatten(clf, X, y), flatten(rescale(clf, [20.0, 0.3]), X, y)
    >>> np.allclose(flat.predict_proba(X), clf.predict_proba(X), rtol=1e-12)
    True
    >>> hessian_trace(flat, X, y).value < hessian_trace(clf, X, y).value
    True
    >>> np.allclose(again.coefs_[0], flat.coefs_[0], rtol=1e-6)
    True
    """
    check_options(criterion, method)
    problem = as_problem(estimator, X, y, sample_weight)
    found = METHODS[method](problem, criterion)
    found.warn()
    report = {"criterion": criterion, "kind": found.kind, "converged": found.converged}
    flat = with_parameters(estimator, found.w)
    innermost(flat).flattening_ = report | found.details
    return flat


def check_options(criterion, method):
    """Refuse what is no criterion or no method of `flatten`."""
    if criterion not in CRITERIA:
        raise ValueError(f"criterion must be one of {list(CRITERIA)}, got {criterion!r}.")
    if method not in METHODS:
        raise ValueError(f"method must be one of {list(METHODS)}, got {method!r}.")
    if method == "flow":
        check_flow(criterion)


def _oneshot(problem, criterion):
    return require(problem.objective, Orbit, "flatten").flattest(problem.w, criterion)


METHODS = {"oneshot": _oneshot, "flow": along_the_flow}

"""The parts of the docstrings that the multi-layer perceptrons share."""

import re

from ..supervised import LOSS, MEASURED, RECORD, TRAINING

PARAMETERS = (
    """hidden_layer_sizes : array-like of int, default=(100,)
        Number of units of every hidden layer. () is a linear model.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'gelu', 'silu', 'selu', 'mish'} or \
            callable, default='relu'
        Activation of the hidden units. The names are scikit-learn's four and four of PyTorch's,
        with PyTorch's definitions (``'gelu'`` is the exact one). The initial weights are uniform
        within Glorot and Bengio's bound ``sqrt(6 / (fan_in + fan_out))``, with 2 in place of 6 for
        ``'logistic'``. A callable is an elementwise function written with ``autograd.numpy``.
        Autograd then computes its derivatives.
    """
    + TRAINING
    + """
    flatten : {'trace', 'norm', 'lambda_max'} or None, default=None
        What is made least over all parameters with the same function as the last step of ``fit``,
        before measuring; see `skflat.symmetry.flatten`. Predictions stay, up to rounding. None
        leaves the parameters where training ended. ``partial_fit`` leaves them, too.
    flatten_every : int or None, default=None
        Epochs from one move to the flattest point to the next, by ``flatten``, or by the trace if
        that is None. It changes where training goes, not the loss at which it stands. Moments and
        velocities of the base optimizer begin anew, for they are of gradients in the units before
        the move; averages and replicas begin anew at the point. The schedule goes on. A move
        costs one backward pass for every output over all training rows, which ``n_grad_evals_``
        does not count. Solvers without epochs (``'lbfgs'``) refuse it."""
)

ATTRIBUTES = f"""{MEASURED}
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of every layer.
    intercepts_ : list of ndarray of shape (n_out,)
        Intercepts of every layer.
    {RECORD}
    n_layers_ : int
        Number of layers, including inputs and outputs.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : str
        Activation of the last layer.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if ``X`` had string names."""

SEARCHED = """rhos : int or array-like of float, default=8
        The radii to search. An int is the number of radii. One of them is 0, which is the base
        optimizer without flatness. The others form a logarithmic grid between a largest radius,
        which depends on the data, and its 64th part. With `skflat.solvers.SAM` the largest radius
        is the default of 0.05 times 32, in the unit of radius that ``rho='auto'`` of
        `FlatMLPClassifier` has on the data. With other solvers it is ``reach`` times their default.
        A solver without a radius has only the radius 0.
    alphas : array-like of float, default=(0.0001, 0.01, 1.0)
        The strengths of the L2 penalty to search. Each is combined with every radius.
    cv : int, cross-validation generator or iterable, default=None
        The splits, as in scikit-learn. None is 5 folds, stratified for classes.
    scoring : str or callable, default=None
        The score to maximise. None is ``score``. The rows are weighted by ``sample_weight`` if the
        scorer accepts it.
    n_jobs : int, default=None
        Number of workers. A task is the training of one setting on one split up to the next rung.
        The result is bit for bit the same for every number and backend.
    select : {'best', 'flattest_within_one_se'}, default='best'
        The setting to choose. ``'best'`` has the best mean score. The other has the largest radius
        among those whose score is within one standard error of the best, see
        `skflat.model_selection.flattest_within_one_se`. Both choose among the settings whose
        training has ended.
    budget : float, default=None
        The cost of the search on every split, in full fits. None is a quarter of the number of
        settings, and at least 4. If the budget is the number of settings, all of them are trained
        to their end. A method that owns its loop, such as ``'lbfgs'``, always trains all of them
        to their end."""

FOUND = """cv_results_ : dict of str to ndarray or list
        A table with a row for every setting, as in scikit-learn's ``GridSearchCV``:
        ``param_rho``, ``param_alpha``, ``params``, ``split0_test_score`` and so on,
        ``mean_test_score``, ``std_test_score`` and ``rank_test_score``. The scores belong to the
        last epoch to which a setting was trained. ``finished`` says whether its training has ended.
        Finished settings have the best ranks. ``n_epochs`` and ``n_grad_evals`` are means over the
        splits. For every name in ``measures`` there are ``mean_`` and ``std_`` over the splits.
        They are measured for finished networks, on their training rows (at most
        ``measure_max_samples`` of them). For all others they are NaN.
    rho_ : float
        The chosen radius.
    alpha_ : float
        The chosen penalty.
    best_index_ : int
        The row of ``cv_results_`` that was chosen.
    best_score_ : float
        The mean score of this row over the splits.
    best_params_ : dict
        ``rho_`` and ``alpha_`` under their names in `FlatMLPClassifier`.
    rhos_ : ndarray
        The radii searched, in rising order.
    alphas_ : ndarray
        The penalties searched, in rising order.
    n_splits_ : int
        Number of splits.
    scorer_ : callable
        The scorer that was maximised.
    n_grad_evals_ : float
        The total cost of search and refit, in gradients of all rows. A gradient of a fit in the
        search counts only the share of the rows that its split trains on."""

SEARCH_NOTES = """The search is successive halving over epochs. There are two rungs. At each rung
    the training of some settings ends, and all others continue from their present parameters. So
    nothing is trained twice. A setting in the middle of the grid is trained to its end first. Its
    length defines a full fit. The rungs are at a 24th and at an eighth of a full fit.

    A rung compares only neighbours on the grid. In every group the settings that are within one
    standard error of the best are candidates, and the flattest candidate continues. The reason is
    that a network with a large radius learns more slowly. This was measured on 14 data sets with
    the default grid (images and tables, classes and numbers, with and without wrong labels). On
    eight of them, the best setting of the full search has rank 16 to 23 of 24 at the first rung. On
    six of them it still has such a rank at the second rung. So on four sets, halving that compares
    all settings missed the best one by more than a standard error of its score. This search was
    within half a standard error on all sets, with a fifth of the gradients. Its rungs were chosen
    with knowledge of these sets. After the second rung a neighbour of the best setting is trained
    too. This does not happen if all settings that have ended are within one standard error of the
    best.

    ``early_stopping`` sets rows aside in every fit. With ``warm_start`` the refit continues from
    the previous refit, and the search begins anew. If the search is interrupted, it has no result.
    If the refit is interrupted, the estimator is fitted.

    Some solvers, such as `skflat.solvers.Chain`, use the radius only late in training. Then no rung
    can distinguish the radii. With a ``budget`` equal to the number of settings, all of them are
    trained in full."""


def searching(estimator):
    """Class decorator: put the common paragraphs into the docstring of a network with a search."""
    before, after = re.split(r"\n    rho : (?:.*\n {8})*.*\n    ", PARAMETERS, maxsplit=1)
    parameters = f"{before}\n    {SEARCHED}\n    {_without(after, 'alpha')}"
    attributes = f"{FOUND}\n    {_without(ATTRIBUTES, 'rho_', 'n_grad_evals_')}"
    estimator.__doc__ = (
        _with_loss(estimator.__doc__)
        .replace("{parameters}", parameters)
        .replace("{attributes}", attributes)
        .replace("{notes}", SEARCH_NOTES)
    )
    return estimator


def _with_loss(text):
    """The parameters of a regressor's loss: its name first, its numbers last."""
    name, numbers = LOSS.split("\n    quantile", maxsplit=1)
    after = f"{{parameters}}\n    quantile{numbers}"
    return text.replace("{loss}\n    {parameters}", f"{name}\n    {after}")


def _without(text, *names):
    """The entries of a section except those with the given names."""
    entries = re.split(r"\n    (?=\S)", text)
    return "\n    ".join(each for each in entries if each.split(" : ")[0] not in names)


def documented(estimator):
    """Class decorator: put the common paragraphs into the docstring."""
    estimator.__doc__ = (
        _with_loss(estimator.__doc__)
        .replace("{parameters}", PARAMETERS)
        .replace("{attributes}", ATTRIBUTES)
    )
    return estimator

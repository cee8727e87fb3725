"""What the multi-layer perceptrons have in common, in words."""

import re

from ..supervised import LOSS, MEASURED, RECORD, TRAINING

PARAMETERS = (
    """hidden_layer_sizes : array-like of int, default=(100,)
        Units of every hidden layer; () is a linear model.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'gelu', 'silu', 'selu', 'mish'} or \
            callable, default='relu'
        Of the hidden units: scikit-learn's four, and four of PyTorch's, by its definitions
        (``'gelu'`` is the exact one). All start from Glorot and Bengio's bound ``sqrt(6 / (fan_in +
        fan_out))``, with 2 in place of 6 for ``'logistic'``. A callable is an elementwise function
        written with ``autograd.numpy``, from which autograd takes the derivatives.
    """
    + TRAINING
)

ATTRIBUTES = f"""{MEASURED}
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of every layer.
    intercepts_ : list of ndarray of shape (n_out,)
        Intercepts of every layer.
    {RECORD}
    n_layers_ : int
        Layers, inputs and outputs included.
    n_outputs_ : int
        Outputs.
    out_activation_ : str
        Function of the last layer.
    n_features_in_ : int
        Features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where ``X`` had string names."""

SEARCHED = """rhos : int or array-like of float, default=8
        The radii to search. An int is that many: 0, which is the base optimizer without flatness,
        and others on a logarithmic grid, from a largest radius that the data decide down to its
        64th part. The largest is `skflat.solvers.SAM`'s default of 0.05 times 32, in the unit of
        radius that ``rho='auto'`` of `FlatMLPClassifier` has on the data; of other solvers it is
        ``reach`` times their default. A solver without a radius has 0 alone.
    alphas : array-like of float, default=(0.0001, 0.01, 1.0)
        The strengths of the L2 penalty to search, each with every radius.
    cv : int, cross-validation generator or iterable, default=None
        The splits, as in scikit-learn: None is 5 folds, stratified for classes.
    scoring : str or callable, default=None
        What to maximise; None is ``score``. It weighs the rows by ``sample_weight`` if it takes
        that.
    n_jobs : int, default=None
        Workers, a task being the training of one setting on one split up to the next rung. The
        result is the same for every number and backend, to the bit.
    select : {'best', 'flattest_within_one_se'}, default='best'
        The setting to take: the one with the best mean score; or the one with the largest radius
        whose score is within one standard error of that, see
        `skflat.model_selection.flattest_within_one_se`. Both choose among the settings whose
        training has ended.
    budget : float, default=None
        What the search may cost on every split, in full fits; None is a quarter of the number of
        settings, and at least 4. As much as the number of settings trains all of them to their
        end. A method that owns its loop, such as ``'lbfgs'``, always does."""

FOUND = """cv_results_ : dict of str to ndarray or list
        As in scikit-learn's ``GridSearchCV``, a row for every setting: ``param_rho``,
        ``param_alpha``, ``params``, ``split0_test_score`` and so on, ``mean_test_score``,
        ``std_test_score`` and ``rank_test_score``. The scores are those of the epoch at which a
        setting was left behind. In addition ``finished``, whether it was not, with the best rank
        for those that were not; ``n_epochs`` and ``n_grad_evals``, means over the splits; and for
        every name in ``measures`` the ``mean_`` and ``std_`` over the splits of what the finished
        networks have on (at most ``measure_max_samples`` of) their training rows, else NaN.
    rho_ : float
        The radius chosen.
    alpha_ : float
        The penalty chosen.
    best_index_ : int
        The row of ``cv_results_`` that was chosen.
    best_score_ : float
        Its mean score over the splits.
    best_params_ : dict
        ``rho_`` and ``alpha_`` by the names of `FlatMLPClassifier`.
    rhos_ : ndarray
        The radii searched, in rising order.
    alphas_ : ndarray
        The penalties searched, in rising order.
    n_splits_ : int
        Number of splits.
    scorer_ : callable
        What was maximised.
    n_grad_evals_ : float
        What search and refit have cost in all: for every fit of the search its gradients of every
        training row, times the share of the rows that its split trains on, and those of the
        refit."""

SEARCH_NOTES = """The search is successive halving over epochs: at two rungs some settings are
    left behind, and the others are trained on from where they were, so that nothing is trained
    twice. A setting in the middle of the grid is trained to its end at first; that is what a full
    fit is, and the rungs are at a 24th and at an eighth of it.

    A rung compares neighbours on the grid only, and of every group the flattest goes on that is not
    behind the best by a standard error. The reason is that a large radius learns more slowly. Of
    14 data sets with the default grid (images and tables, classes and numbers, with and without
    wrong labels), the best setting of the full search is 16th to 23rd of 24 at the first rung on
    eight, and at the second still on six. So halving that compares all of them missed it by
    more than a standard error of its score on four sets. This search was within half a standard
    error on all of them, at a fifth of the gradients; its rungs were chosen with these sets in
    view. After the second rung a neighbour of the best follows, unless all that have ended by then
    are within one standard error of the best.

    ``early_stopping`` sets rows aside in every fit. With ``warm_start`` the refit goes on from the
    refit before, and the search begins anew. An interruption of the search ends it without a
    result; one of the refit leaves a fitted estimator.

    Where the solver itself begins late in training, as `skflat.solvers.Chain` does, no rung can
    tell the radii apart; a ``budget`` of the number of settings trains all of them in full."""


def searching(estimator):
    """Class decorator: the same for a network that chooses its radius and its penalty itself."""
    parameters = f"{SEARCHED}\n    {_without(PARAMETERS, 'rho', 'alpha')}"
    attributes = f"{FOUND}\n    {_without(ATTRIBUTES, 'rho_', 'n_grad_evals_')}"
    estimator.__doc__ = (
        estimator.__doc__.replace("{parameters}", parameters)
        .replace("{loss}", LOSS)
        .replace("{attributes}", attributes)
        .replace("{notes}", SEARCH_NOTES)
    )
    return estimator


def _without(text, *names):
    """The entries of a section but for some."""
    entries = re.split(r"\n    (?=\S)", text)
    return "\n    ".join(each for each in entries if each.split(" : ")[0] not in names)


def documented(estimator):
    """Class decorator: put the common paragraphs into the docstring."""
    estimator.__doc__ = (
        estimator.__doc__.replace("{parameters}", PARAMETERS)
        .replace("{loss}", LOSS)
        .replace("{attributes}", ATTRIBUTES)
    )
    return estimator

"""The parts of the docstrings that the multi-layer perceptrons share."""

import re

PARAMETERS = """hidden_layer_sizes : array-like of int, default=(100,)
        Number of units of every hidden layer. () is a linear model.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'gelu', 'silu', 'selu', 'mish'} or \
            callable, default='relu'
        Activation of the hidden units. The names are scikit-learn's four and four of PyTorch's,
        with PyTorch's definitions (``'gelu'`` is the exact one). The initial weights are uniform
        within Glorot and Bengio's bound ``sqrt(6 / (fan_in + fan_out))``, with 2 in place of 6 for
        ``'logistic'``. A callable is an elementwise function written with ``autograd.numpy``.
        Autograd then computes its derivatives.
    solver : str or solver object, default='auto'
        The method of minimisation: a name in `skflat.solvers.SOLVERS`, or an object of
        `skflat.solvers`. Such an object holds the structure of the rule, and the numbers are
        parameters of this estimator. ``'auto'`` is Adam on the loss expected under noise of
        deviation ``rho`` on the parameters. It costs little more than one gradient per step, see
        `skflat.solvers.ExpectedLoss`. ``'adam'``, ``'sgd'`` and ``'lbfgs'`` give the same results
        as in scikit-learn's networks.
    rho : 'auto' or float, default='auto'
        The radius, in parameter space, over which the solution must stay good. The documentation of
        every solver says how it uses the radius. It also gives the solver's default, which
        ``'auto'`` takes. The defaults are meant for features and targets of size 1. Therefore a
        radius in the parameters is multiplied by ``(2 / s) ** 2`` if the root mean square ``s`` of
        the largest feature is above 2. With the squared error it is also multiplied by
        ``(2 d) ** 2`` if the largest standard deviation ``d`` of a target is below 1/2. In
        ``partial_fit`` the first call fixes both factors. At 0 the base solver replaces a flat
        solver, so the results of the two are equal bit for bit.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names in `skflat.measures.MEASURES`.
    measure_max_samples : int, default=2000
        Largest number of training rows to measure on. If there are more, a sample is drawn once,
        stratified by class.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights, divided by the number of rows of the batch.
    weight_decay : float, default=0.0
        In each step the base optimizers ``'adam'`` and ``'sgd'`` shrink the weights by this number
        times the learning rate, independently of the gradient. Intercepts are not shrunk, as with
        ``alpha``. For a plain step of ``'sgd'`` this is the same as an ``alpha`` of this number
        times the rows of the batch. ``'adam'`` becomes AdamW, with its epsilon in the same place as
        in PyTorch. The recorded losses do not include the decay. ``'lbfgs'`` and ``'ngd'`` do not
        decay.
    batch_size : int or 'auto', default='auto'
        Number of rows of a batch. ``'auto'`` is ``min(200, n_samples)``.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine'}, default='constant'
        Schedule of the learning rate. The first three are for the base optimizer ``'sgd'``:
        constant; divided by ``t ** power_t``; or divided by 5 whenever training no longer improves.
        ``'cosine'`` is for ``'sgd'`` and ``'adam'``. The rate rises during the ``warmup`` and then
        falls to 0 along half a cosine, step by step over ``max_iter`` epochs. A fit that reaches
        the end of the schedule does not warn, because it has not failed to converge. If ``tol`` or
        early stopping ends the fit earlier, the rate has not yet fallen to 0. With
        ``n_iter_no_change=np.inf`` it always falls to 0. In ``partial_fit`` every call counts as an
        epoch, and after ``max_iter`` calls the rate keeps its last value.
    learning_rate_init : float, default=0.001
        Learning rate of the first step.
    power_t : float, default=0.5
        Exponent of ``learning_rate='invscaling'``.
    warmup : float, default=0.0
        Share of all steps, in [0, 1), during which the rate of ``learning_rate='cosine'`` rises
        linearly from its start.
    max_iter : int, default=200
        Largest number of epochs, or of iterations of ``'lbfgs'``.
    shuffle : bool, default=True
        Whether to draw new batches in every epoch.
    random_state : int, RandomState instance or None, default=None
        Draws the initial weights, the validation split and the batches, in scikit-learn's order.
        Solvers and measures have generators of their own, which are seeded from this one.
    tol : float, default=1e-4
        Smallest change of the loss or of the validation score that counts as an improvement.
    verbose : bool, default=False
        Whether to print every epoch.
    warm_start : bool, default=False
        Whether ``fit`` continues from the parameters of the previous fit. The moments of the base
        optimizer start anew.
    momentum : float, default=0.9
        Momentum of the base optimizer ``'sgd'``.
    nesterovs_momentum : bool, default=True
        Whether this momentum is Nesterov's.
    early_stopping : bool, default=False
        Whether to stop when the score on the validation rows no longer improves, and to keep the
        parameters with the best score. In ``partial_fit`` every call counts as an epoch. The best
        parameters come back after ``n_iter_no_change`` calls without improvement.
    validation_fraction : float, default=0.1
        Share of the training rows that early stopping sets aside, if ``fit`` gets no validation
        data.
    beta_1, beta_2 : float, default=0.9 and 0.999
        Decay rates of the two moments of the base optimizer ``'adam'``.
    epsilon : float, default=1e-8
        Keeps the division by the second moment of ``'adam'`` finite.
    n_iter_no_change : int, default=10
        Number of epochs without improvement after which training stops.
    max_fun : int, default=15000
        Largest number of function calls of ``'lbfgs'``."""

ATTRIBUTES = """sharpness_ : float
        Trace of the Hessian of the unpenalised mean training loss, see
        `skflat.measures.HessianTrace`. Smaller is flatter.
    flatness_ : float
        Distance to the nearest point at which this loss differs by one tenth of the baseline loss,
        see `skflat.measures.LevelSetDistance`. The baseline loss is the loss of the best constant
        prediction. Larger is flatter.
    weakness_ : float
        Share in [0, 1] of (probe, outcome) pairs that are still open, see
        `skflat.measures.Weakness`. Larger is weaker. It does not depend on the parameterisation.
    measurements_ : dict of str to Measurement
        The three values with standard errors and protocols.
    n_grad_evals_ : float
        Number of rows that the solver has differentiated, divided by the number of training rows. A
        Hessian product counts 2. Validation and measures count 0. The count continues over warm
        starts and partial fits.
    rho_ : float
        The radius of the last training: the value of ``rho``, or of ``'auto'``. It is NaN if every
        stage of a `skflat.solvers.Chain` had its own, and 0 for a solver without a radius.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of every layer.
    intercepts_ : list of ndarray of shape (n_out,)
        Intercepts of every layer.
    loss_ : float
        Loss of the last epoch.
    loss_curve_ : list of float
        Loss of every epoch. The list continues over warm starts and partial fits.
    best_loss_ : float or None
        Smallest loss of an epoch. None with early stopping.
    validation_scores_ : list of float or None
        Score on the validation rows after every epoch. None without validation rows.
    validation_loss_curve_ : list of float or None
        Loss on the validation rows after every epoch. None without validation rows.
    best_validation_score_ : float or None
        Best of these scores. None without early stopping.
    n_iter_ : int
        Number of epochs of the last fit, or of iterations of ``'lbfgs'``.
    t_ : int
        Number of training rows that were passed over.
    n_layers_ : int
        Number of layers, including inputs and outputs.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : str
        Activation of the last layer.
    n_features_in_ : int
        Number of features seen during ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
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
    parameters = f"{SEARCHED}\n    {_without(PARAMETERS, 'rho', 'alpha')}"
    attributes = f"{FOUND}\n    {_without(ATTRIBUTES, 'rho_', 'n_grad_evals_')}"
    estimator.__doc__ = (
        estimator.__doc__.replace("{parameters}", parameters)
        .replace("{attributes}", attributes)
        .replace("{notes}", SEARCH_NOTES)
    )
    return estimator


def _without(text, *names):
    """The entries of a section except those with the given names."""
    entries = re.split(r"\n    (?=\S)", text)
    return "\n    ".join(each for each in entries if each.split(" : ")[0] not in names)


def documented(estimator):
    """Class decorator: put the common paragraphs into the docstring."""
    estimator.__doc__ = estimator.__doc__.replace("{parameters}", PARAMETERS).replace(
        "{attributes}", ATTRIBUTES
    )
    return estimator

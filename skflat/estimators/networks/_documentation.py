"""What the multi-layer perceptrons have in common, in words."""

import re

PARAMETERS = """hidden_layer_sizes : array-like of int, default=(100,)
        Units of every hidden layer; () is a linear model.
    activation : {'identity', 'logistic', 'tanh', 'relu', 'gelu', 'silu', 'selu', 'mish'} or \
            callable, default='relu'
        Of the hidden units: scikit-learn's four, and four of PyTorch's, by its definitions
        (``'gelu'`` is the exact one). All start from Glorot and Bengio's bound ``sqrt(6 / (fan_in +
        fan_out))``, with 2 in place of 6 for ``'logistic'``. A callable is an elementwise function
        written with ``autograd.numpy``, from which autograd takes the derivatives.
    solver : str or solver object, default='sam'
        How to minimise: a name of `skflat.solvers.SOLVERS`, or an object of `skflat.solvers` that
        holds the structure of the rule. All numbers are parameters of this estimator. ``'adam'``,
        ``'sgd'`` and ``'lbfgs'`` give what scikit-learn's networks give.
    rho : 'auto' or float, default='auto'
        The radius, in parameter space, over which the solution must stay good. Every solver
        says how it reads it, and what its default is, which ``'auto'`` takes. That is meant for
        features and targets of size 1. A radius in the parameters is therefore multiplied by
        ``(2 / s) ** 2`` if the root mean square ``s`` of the largest feature is above 2, and with
        the squared error by ``(2 d) ** 2`` if the largest standard deviation ``d`` of a target is
        below 1/2. In ``partial_fit`` the first call decides about both. At 0 a flat solver hands
        over to its base solver, so that the two agree to the bit.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names of `skflat.measures.MEASURES`.
    measure_max_samples : int, default=2000
        Most training rows to measure on, drawn once and stratified by class.
    alpha : float, default=0.0001
        Strength of the L2 penalty on the weights, divided by the number of rows of the batch.
    weight_decay : float, default=0.0
        By how much, times the learning rate of a step, the base optimizers ``'adam'`` and ``'sgd'``
        shrink the weights, apart from the gradient. Intercepts stay, as with ``alpha``; a plain
        step of ``'sgd'`` does the same with ``alpha`` equal to it times the rows of the batch. With
        ``'adam'`` it is AdamW, with its epsilon where PyTorch has it. The losses recorded leave it
        out. ``'lbfgs'`` and ``'ngd'`` do not decay.
    batch_size : int or 'auto', default='auto'
        Rows of a batch; ``'auto'`` is ``min(200, n_samples)``.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine'}, default='constant'
        Schedule of the base optimizer ``'sgd'``: constant; divided by ``t ** power_t``; or
        divided by 5 whenever training no longer improves. The fourth is for ``'adam'`` too: up
        during the ``warmup``, then down to 0 along half a cosine, step by step over ``max_iter``
        epochs. A fit that ends with it has not failed to converge, so it does not warn. Where
        ``tol`` or early stopping ends it before, the rate has not fallen all the way;
        ``n_iter_no_change=np.inf`` lets it. In ``partial_fit`` every call counts as an epoch, and
        after ``max_iter`` calls the rate stays what it was last.
    learning_rate_init : float, default=0.001
        Rate of the first step.
    power_t : float, default=0.5
        Exponent of ``learning_rate='invscaling'``.
    warmup : float, default=0.0
        Share of all steps, in [0, 1), in which the rate of ``learning_rate='cosine'`` first rises,
        linearly.
    max_iter : int, default=200
        Most epochs, or iterations of ``'lbfgs'``.
    shuffle : bool, default=True
        Whether to draw the batches anew in every epoch.
    random_state : int, RandomState instance or None, default=None
        Draws initialisation, validation split and batches, in scikit-learn's order. What a
        solver or a measure draws comes from generators of its own, seeded from this one.
    tol : float, default=1e-4
        The least that counts as an improvement of loss or validation score.
    verbose : bool, default=False
        Whether to print every epoch.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the parameters of the fit before; the moments of the base
        optimizer start anew.
    momentum : float, default=0.9
        Of the base optimizer ``'sgd'``.
    nesterovs_momentum : bool, default=True
        Whether that momentum is Nesterov's.
    early_stopping : bool, default=False
        Whether to stop when the score on validation rows no longer improves, and to keep the
        parameters that scored best. In ``partial_fit`` every call counts as an epoch, and the
        best parameters come back once the patience is exhausted.
    validation_fraction : float, default=0.1
        Share of the training rows set aside for that, where ``fit`` is given no validation
        data.
    beta_1, beta_2 : float, default=0.9 and 0.999
        Decay of the two moments of the base optimizer ``'adam'``.
    epsilon : float, default=1e-8
        Keeps the division by the second moment finite.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    max_fun : int, default=15000
        Most function calls of ``'lbfgs'``.
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

ATTRIBUTES = """sharpness_ : float
        Trace of the Hessian of the unpenalised mean training loss, see
        `skflat.measures.HessianTrace`; smaller is flatter.
    flatness_ : float
        Distance to the nearest level set of that loss one tenth of the best constant
        prediction's loss away, see `skflat.measures.LevelSetDistance`; larger is flatter.
    weakness_ : float
        Share in [0, 1] of (probe, outcome) pairs that are still open, see
        `skflat.measures.Weakness`; larger is weaker, and independent of the parameterisation.
    measurements_ : dict of str to Measurement
        The same with standard errors and protocols.
    n_grad_evals_ : float
        Rows differentiated by the solver divided by the number of training rows. A Hessian
        product counts 2, validation and measures 0. Goes on over warm starts and partial fits.
    rho_ : float
        The radius of the last training: what ``rho`` was, or ``'auto'`` meant. NaN where every
        stage of a `skflat.solvers.Chain` had its own, and 0 for a solver without one.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of every layer.
    intercepts_ : list of ndarray of shape (n_out,)
        Intercepts of every layer.
    loss_ : float
        Loss of the last epoch.
    loss_curve_ : list of float
        Loss of every epoch; it goes on over warm starts and partial fits.
    best_loss_ : float or None
        Least loss of an epoch; None under early stopping.
    validation_scores_ : list of float or None
        Score on the validation rows after every epoch, where there are any.
    validation_loss_curve_ : list of float or None
        Loss on the validation rows after every epoch, where there are any.
    best_validation_score_ : float or None
        Best of these scores; None without early stopping.
    n_iter_ : int
        Epochs, or iterations of ``'lbfgs'``, of the last fit.
    t_ : int
        Training rows passed over.
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
    estimator.__doc__ = estimator.__doc__.replace("{parameters}", PARAMETERS).replace(
        "{attributes}", ATTRIBUTES
    )
    return estimator

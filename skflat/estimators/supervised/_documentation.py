"""What estimators of any model have in common, in words."""

TRAINING = """solver : str or solver object, default='sam'
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
        Most function calls of ``'lbfgs'``."""

#: What the named losses are.
NAMED_LOSSES = """What to minimise. ``'squared_error'``, ``'poisson'`` and ``'gamma'`` are half
        the deviance of their distribution, and the prediction is a mean. The last two have a log
        link, and need ``y >= 0`` and ``y > 0``. With ``'absolute_error'`` the prediction is a
        median, and with ``'pinball'`` it is the quantile that ``quantile`` names. Where these two
        have a kink, their derivative is taken as 0. Elsewhere they are linear, so they add no
        curvature of their own. ``'huber'`` is half the squared error up to ``delta`` and linear
        beyond. Its curvature is 1 up to ``delta`` included, and 0 beyond."""

LOSS = f"""loss : {{'squared_error', 'absolute_error', 'huber', 'pinball', 'poisson', 'gamma'}}, \
            default='squared_error'
        {NAMED_LOSSES}
    quantile : float, default=0.5
        The quantile, in (0, 1), that ``loss='pinball'`` predicts.
    delta : float, default=1.0
        Where ``loss='huber'`` becomes linear, in the unit of the target."""

FUNCTION_LOSS = f"""loss : str or callable, default='squared_error'
        One of ``'squared_error'``, ``'absolute_error'``, ``'huber'``, ``'pinball'``, ``'poisson'``,
        ``'gamma'``, or a function ``loss(raw_prediction, y)`` that returns one value a row, written
        with ``autograd.numpy``. There ``y`` has shape (n_rows, n_columns), and ``raw_prediction``
        may have another number of columns.
        {NAMED_LOSSES}"""

MEASURED = """sharpness_ : float
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
        stage of a `skflat.solvers.Chain` had its own, and 0 for a solver without one."""

RECORD = """loss_ : float
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
        Training rows passed over."""

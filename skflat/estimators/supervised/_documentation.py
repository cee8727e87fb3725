"""What estimators of any model have in common, in words."""

TRAINING = """solver : str or solver object, default='auto'
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
        the largest feature is above 2. With a loss without a link, such as the squared error, it is
        also multiplied by ``(2 d) ** 2`` if the largest standard deviation ``d`` of a target is
        below 1/2. In ``partial_fit`` the first call fixes both factors. At 0 the base solver
        replaces a flat solver, so the results of the two are equal bit for bit.
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
        stage of a `skflat.solvers.Chain` had its own, and 0 for a solver without a radius."""

RECORD = """loss_ : float
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
        Number of training rows that were passed over."""

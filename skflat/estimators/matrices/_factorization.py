"""Matrix factorization that seeks flat minima."""

from sklearn.base import ClassNamePrefixFeaturesOutMixin, RegressorMixin, TransformerMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..._compat import fit_context
from ...symmetry import conserved
from .._pipeline import all_or_nothing
from ._fit import BaseFactorization
from .recommending import Recommending, updates


def _knows_the_matrix(estimator):
    if not getattr(estimator, "_matrix", False):
        raise AttributeError(
            "Only a FlatMatrixFactorization fitted on a matrix completes rows of it: fit(X) "
            "without y, or with input='matrix'."
        )
    return True


class FlatMatrixFactorization(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    RegressorMixin,
    Recommending,
    BaseFactorization,
):
    """Matrix factorization with missing entries that seeks a flat minimum, and measures it.

    An entry is ``intercept + row offset + column offset + row factors . column factors``. This is
    fitted to the observed entries by least squares. The data can be given in two ways:

    * ``fit(X, y)``: every row of ``X`` names one observation by its identifiers (the row and the
      column of a matrix; a user and an item). ``y`` holds the values. Functions that split samples,
      such as ``train_test_split`` or ``GridSearchCV``, then split *entries*. Identifiers are
      numbers, strings, dates, categories or anything else that has an order. Each column has one
      kind. With more than two columns, the model has offsets of every column and inner products of
      every pair of columns. With one column it has only offsets.
    * ``fit(X)``: ``X`` is the matrix itself. Missing entries are NaN, or not stored if ``X`` is
      sparse.

    In a Pipeline it may be the last step, or stand before an estimator of targets ``y``. There,
    ``transform`` gives the factors and offsets of rows of a matrix (``input='matrix'``), or of the
    entities of each observation, which were fitted to ``y``.

    Targets are fitted in units of ``scale_``, which is the size of the residuals of offsets. So
    with default parameters the model of ``c * y`` is ``c`` times the model of ``y``, for every
    solver. The attributes are in the unit of ``y``. Of the parameters only ``rho`` is.

    Parameters
    ----------
    n_components : int, default=10
        Length of the factors.
    solver : str or solver object, default='als'
        The method of minimisation. ``'als'`` minimises the expected loss under noise on the
        parameters, in closed form, see `skflat.solvers.ALS`. ``'gibbs'`` predicts by the mean over
        many points of the posterior, which predicts best and learns its penalties, see
        `skflat.solvers.Gibbs`. The solvers in `skflat.solvers.SOLVERS` use gradients on batches of
        observations.
    rho : 'auto' or float, default='auto'
        The radius, in parameter space, over which the solution must stay good. For ``'als'`` it is
        the standard deviation of Gaussian noise on every parameter. The expected loss under this
        noise is minimised. It is the loss plus ``rho ** 2 / 2`` times the trace of its Hessian. So
        factors are penalised in proportion to how often they are used, and offsets are not shrunk.
        The documentation of every other solver says how it uses the radius. A number has the unit
        of the factors, which is the square root of the unit of ``y``. ``'auto'`` grows with the
        targets.
    alpha : 'auto' or float, default='auto'
        Strength of the L2 penalty on all factors, however often they are used. It is in units of
        ``scale_``, so a number means the same in every unit of ``y``. ``'auto'`` holds out a tenth
        of the entries. It tries 32, 8, 2 and so on down to 1/128 as long as the held-out entries
        are predicted better. This takes a few rough fits by ``'als'``, which cost about as much as
        the fit. ``'auto'`` is 1 if there are fewer than ten observations to hold out, or if
        ``partial_fit`` is called first. ``'gibbs'`` learns it instead.
    alpha_offsets : float, default=2.0
        Strength of the L2 penalty on offsets, in units of observations. An offset with ``n``
        observations is multiplied by ``n / (n + alpha_offsets)``. Values of 1 to 3 were best on
        ratings of films and jokes. ``'gibbs'`` uses it only in ``fold_in`` and ``transform``.
    fit_offsets : bool, default=True
        Whether the model has an intercept and offsets. Without them it is the product of two
        matrices.
    balance : {'frobenius', 'lambda_max', 'trace'} or None, default=None
        Many factors give the same predictions. With this parameter, ``fit`` returns the flattest of
        them. ``'frobenius'`` takes the factors with the smallest sum of squares. If the matrix has
        no missing entries, they also have the smallest largest eigenvalue of the Hessian at an
        exact fit. ``'lambda_max'`` searches for the smallest largest eigenvalue if entries are
        missing, which takes minutes for a hundred thousand observations. ``'trace'`` takes the
        factors with the smallest trace of the Hessian. See `skflat.symmetry.balance` and
        `skflat.symmetry.balance_eigenvalue`. Only for two columns of identifiers.
    clip : pair of float or None, default=None
        Smallest and largest value to predict.
    keep_seen : bool, default=False
        Whether to keep the observations in the fitted estimator. Then `recommend` knows what users
        have seen, and ``'als'`` has a ``partial_fit``. An observation takes 12 bytes, or 8 if the
        targets are of single precision. Weights take as much as the targets. With implicit feedback
        a count of 0 is not kept, because nothing was seen. Only for two columns of identifiers.
    feedback : {'explicit', 'implicit'}, default='explicit'
        What ``y`` is. ``'explicit'``: values, such as ratings. Entries without a value are unknown.
        ``'implicit'``: counts, such as how often a user has watched a film. Then every pair has a
        preference, which is 1 if its count is positive and 0 if not. Preferences are fitted with
        weights, see ``confidence``. Offsets and the choice of ``alpha`` are for explicit feedback:
        there are none here, ``scale_`` is 1, and ``alpha='auto'`` is 1. It needs ``'als'`` and two
        columns of identifiers.
    confidence : float, default=40.0
        With implicit feedback a pair with the count ``r`` has the weight ``1 + confidence * r``.
        Counts of a pair that is given several times are added, and ``sample_weight`` multiplies
        them. The default is that of Hu, Koren and Volinsky. The square of ``confidence`` times the
        sum of all counts must be finite.
    user_features, item_features : DataFrame or pair (ids, matrix), default=None
        Features of the identifiers in the first and in the second column. The index of a DataFrame
        holds identifiers, and its columns are numbers. A pair consists of n identifiers and a dense
        or sparse matrix of shape (n, n_features). Factors and offsets then have prior means that
        are linear in the features, see the notes. An identifier without observations gets these
        means, so it is predicted better than by offsets of 0. An identifier that is not in the
        table has the mean 0. Columns of a dense table are centred and divided by their deviation,
        so their units do not matter. A sparse matrix is only divided by one number, so its columns
        need comparable units. Functions that split samples do not split these tables, and
        `GridSearchCV` may choose among several. Only for ``'als'``, and not for a matrix ``X``.
    alpha_features : float, default=1.0
        Strength of the L2 penalty on the coefficients of the features, relative to the penalties on
        factors and offsets. At 1, a priori, features explain as much of the factors as they leave
        unexplained. On films, 1 to 10 were best.
    timestamps : int, str or None, default=None
        Position or name of the column of ``X`` that holds the time of every observation, a number
        or a date. The other two columns of ``X`` are identifiers. ``predict`` takes three columns,
        too. The model has one more offset for every identifier in every bin of time, its drift.
        Times after those of ``fit`` are in the last bin, and those before are in the first.
        `recommend` uses the last bin. The drift is 0 where nothing was observed. Drifts predict
        ratings held out at random better, but ratings of the future hardly. Only for ``'als'``, not
        for implicit feedback, and without ``partial_fit``, ``fold_in`` and ``warm_start``.
    n_time_bins : int, default=30
        Number of bins. They have about equally many observations.
    alpha_drift : float, default=20.0
        Strength of the L2 penalty on drifts, in units of observations, as ``alpha_offsets``.
    input : {'auto', 'entries', 'matrix'}, default='auto'
        What ``X`` is: identifiers with values ``y``, or the matrix. ``'auto'`` takes it for the
        matrix if there is no ``y``. With ``'matrix'`` a given ``y`` is ignored, as a Pipeline needs
        that has an estimator of other targets at its end.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names in `skflat.measures.MEASURES`.
    measure_max_samples : int, default=20000
        Largest number of observations to measure on. Sharpness and weakness always use all of them,
        because their cost is small.
    batch_size : int or 'auto', default='auto'
        Number of observations of a batch. ``'auto'`` is 200, or a thousandth of all observations if
        that is more.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine'}, default='constant'
        Schedule of the base optimizer ``'sgd'``. ``'cosine'`` is half a cosine over ``max_iter``
        epochs. It is also for ``'adam'``.
    learning_rate_init : float, default=0.01
        Learning rate of the first step, for targets in units of ``scale_``.
    power_t : float, default=0.5
        Exponent of ``learning_rate='invscaling'``.
    max_iter : int, default=200
        Largest number of sweeps of ``'als'``, of epochs, or of iterations of ``'lbfgs'``.
    shuffle : bool, default=True
        Whether to draw new batches in every epoch.
    random_state : int, RandomState instance or None, default=None
        Draws the initial factors, the validation split and the batches.
    tol : float, default=1e-4
        Smallest change that counts as an improvement of the validation score, or of the loss of
        targets in units of ``scale_``. ``'als'`` ends if the loss falls by less than this share,
        with implicit feedback the share of its difference to the loss of factors of 0.
    verbose : bool, default=False
        Whether to print every epoch, with this loss.
    warm_start : bool, default=False
        Whether ``fit`` continues from the factors of the previous fit. New identifiers are added.
        Not for ``'gibbs'``, which begins every chain anew.
    momentum : float, default=0.9
        Momentum of the base optimizer ``'sgd'``.
    nesterovs_momentum : bool, default=True
        Whether this momentum is Nesterov's.
    early_stopping : bool, default=False
        Whether to stop when R^2 on held-out observations no longer improves, and to keep the
        factors with the best score. ``'gibbs'`` runs all sweeps on all observations.
    validation_fraction : float, default=0.1
        Share of the observations that early stopping holds out.
    beta_1, beta_2 : float, default=0.9 and 0.999
        Decay rates of the two moments of the base optimizer ``'adam'``.
    epsilon : float, default=1e-8
        Keeps the division by the second moment of ``'adam'`` finite.
    n_iter_no_change : int, default=10
        Number of epochs without improvement after which training stops. ``'als'`` uses it only with
        early stopping.
    max_fun : int, default=15000
        Largest number of function calls of ``'lbfgs'``.
    n_jobs : int, default=None
        Number of workers of ``'als'`` and ``'gibbs'``, also in ``partial_fit``, `fold_in` and
        `transform`, as in joblib. They solve for blocks of rows or columns at the same time.
        Results are the same to the bit for every number and every backend of joblib. The default
        backend is threads, which share all arrays. Other processes and machines get the
        observations and factors of their blocks in every half of a sweep, so they pay only with
        many components.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_columns)
        Column factors, transposed. With ``'gibbs'`` the factors of all draws kept are side by side.
        So ``n_components`` is then multiplied by their number, in all shapes here and in
        ``transform``.
    row_factors_ : ndarray of shape (n_rows, n_components)
        Row factors.
    column_factors_ : ndarray of shape (n_columns, n_components)
        Column factors.
    row_offsets_ : ndarray of shape (n_rows,) or None
        Row offsets.
    column_offsets_ : ndarray of shape (n_columns,) or None
        Column offsets.
    intercept_ : float
        The intercept, which is 0 without offsets.
    factors_ : list of ndarray of shape (n_entities, n_components)
        The factors for every column of identifiers. The attributes above exist only for two
        columns.
    offsets_ : list of ndarray of shape (n_entities,) or None
        The offsets for every column of identifiers.
    identifiers_ : list of ndarray of shape (n_entities,)
        The identifiers of every column, in the order of factors and offsets. Those that only have
        features are among them.
    user_drift_, item_drift_ : ndarray of shape (n_entities, n_bins) or None
        Offsets in every bin of time, in addition to ``offsets_``. There are fewer bins than asked
        for if many times are equal.
    user_coef_, item_coef_ : ndarray of shape (n_features, n_components + 1) or None
        Coefficients of the features in the unit of the table. Minus the column means, unless they
        are sparse, features times coefficients are the prior means of the factors and, in the last
        column, of the offset. Without offsets there is no last column.
    conserved_ : ndarray of shape (n_components, n_components)
        ``X' X - Y' Y`` of row factors ``X`` and column factors ``Y``. Gradient flow conserves it.
        It is 0 for balanced factors. Only for two columns.
    rho_ : float
        The radius used.
    alpha_ : float
        The penalty of the factors used, in units of ``scale_``. With ``'gibbs'`` it is the one to
        which the learnt prior amounts.
    scale_ : float
        The unit in which targets were fitted. It is the root mean square of their residuals, each
        from offsets that are fitted to all other observations. If offsets explain little, this is
        about the standard deviation. Without offsets, and for a constant target, it is the root
        mean square of the targets. A warm start and ``partial_fit`` keep the unit of the first
        call.
    sharpness_ : float
        Trace of the Hessian of the unpenalised mean training loss. It is exact. Smaller is flatter.
    flatness_ : float
        Distance to the nearest point at which this loss differs by one tenth of the baseline loss,
        the loss of the best constant prediction. Larger is flatter. It has a closed form if a full
        matrix is fitted exactly, without offsets and with factors of equal largest singular value.
        Otherwise it is found by search.
    weakness_ : float
        Share in [0, 1] of (unseen entry, outcome) pairs that are still open. The outcomes are
        tenths of the targets. An outcome is open if some factors of the entry's column reach it
        while they reproduce the fitted values of the observed entries. All other factors are fixed.
        Larger is weaker. See `skflat.measures.Weakness`.
    measurements_ : dict of str to Measurement
        The three values with standard errors and protocols.
    n_grad_evals_ : float
        Number of observations that the solver has differentiated, divided by the number of
        observations. A sweep of ``'als'`` or ``'gibbs'`` counts 1 for each column of identifiers,
        and 1 for the drifts of each.
    loss_ : float
        Loss of the last epoch. After ``partial_fit`` by ``'als'`` with explicit feedback, it is
        that of all observations of the rows that were solved for, because an update does not pass
        over the others. With implicit feedback it is that of all pairs.
    loss_curve_ : list of float
        Loss of every epoch, expected loss of every sweep of ``'als'``, or loss of every draw of
        ``'gibbs'``.
    best_loss_ : float or None
        Smallest loss of an epoch. None with early stopping.
    validation_scores_ : list of float or None
        R^2 on the held-out observations after every epoch.
    validation_loss_curve_ : list of float or None
        Loss on the held-out observations after every epoch.
    best_validation_score_ : float or None
        Best of these scores.
    n_iter_ : int
        Number of sweeps, epochs or iterations of the last fit.
    t_ : int
        Number of observations that a stochastic solver has passed over.
    n_features_in_ : int
        Number of columns of ``X`` in ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of these columns, if ``X`` had string names.

    See Also
    --------
    FlatMatrixImputer : Fills the missing entries of a table in a Pipeline.
    skflat.solvers.ALS : The default solver.
    skflat.symmetry.balance : The flattest among equivalent factors.

    Notes
    -----
    The objective is ``sum v (y - score)^2 + scale_ alpha |F|^2 + alpha_offsets |b|^2``, divided by
    ``2 V``. Here ``v`` are the weights of the observations, ``V`` is their sum, ``F`` are the
    factors and ``b`` the offsets without the intercept. Solvers that use batches minimise the same
    objective. Their penalty is the penalty of all rows. To get the sum and its Hessian, multiply
    the objective and its Hessian by ``2 V``.

    For a full m x n matrix without offsets, the trace of the sum's Hessian is
    ``2 (n |X|^2 + m |Y|^2)``. ``sharpness_`` is this trace divided by ``2 m n``. Noise of standard
    deviation ``rho`` adds ``rho^2 (n |X|^2 + m |Y|^2)`` and the constant ``rho^4 n_components m n``
    to the sum.

    With implicit feedback the objective is ``sum (1 + confidence r) (p - score)^2 + alpha |F|^2``
    over all pairs of a row and a column, with counts ``r`` and preferences ``p``. It is divided by
    twice the sum of the weights. Noise of standard deviation ``rho`` adds ``rho^2`` times the sum
    of ``W |f|^2`` over all rows and columns, where ``W`` is the sum of the weights of all pairs of
    a row or column, and ``rho^4 n_components`` times the sum of all weights. No pass over all pairs
    is needed. ``sharpness_`` is the trace of the Hessian of this loss. Other measures are left out.
    ``score`` is R^2 of the preferences of all pairs of known rows and columns, with these weights.
    ``score`` and ``measure`` leave out given pairs whose row or column was not seen in ``fit``.

    With features ``f`` of an entity the penalty on its factors ``u`` and its offset ``b`` is
    ``scale_ alpha |u - W' f|^2 + alpha_offsets (b - a . f)^2``. The coefficients of a column of
    identifiers add ``alpha_features (scale_ alpha |W|^2 + alpha_offsets |a|^2)``. Here the mean of
    ``|f|^2`` over the table is 1. Before it solves for the factors of a column, a sweep finds the
    coefficients by ridge regression, so the objective never rises. Noise of standard deviation
    ``rho`` adds to the objective what it adds without features, and a constant. With a table of
    ``p`` features of ``n`` identifiers, the smaller matrix of normal equations is decomposed once,
    if ``min(n, p)`` is at most 4096. Otherwise each sweep takes some steps of conjugate gradients,
    and each passes over the table twice. With the items that a user has rated as the features of
    that user, in rows of norm 1, the model is SVD++ (Koren, 2008) with a penalty on the
    deviations. With implicit feedback, pairs of identifiers that only have features are not part of
    the training loss. ``fold_in`` treats an identifier that only has features as new. Without
    observations of it, ``partial_fit`` gives it the means of the new coefficients.

    With ``timestamps`` the penalty ``alpha_drift |d|^2`` on all drifts ``d`` is added to the
    objective. A sweep first takes the best drifts of users and then those of items, in closed form.

    If an entry is observed several times, every observation counts. The factors of a row or column
    without observations are 0. There is a warning for such columns.

    There is a ``ConvergenceWarning`` if training ends no better than the best constant prediction.
    Values of ``y`` may be as small as 1e-300. They may be so large that the square of their
    deviation is still finite. Measures also need the square of small values.

    In a Pipeline on identifiers, the factors that ``transform`` gives were fitted to the same ``y``
    as the steps after it. So a later step sees more of the targets of its training rows than of
    those of new rows.

    Shuffle the observations before you hold some of them out, because they are often sorted by
    row. ``cv=5`` is `sklearn.model_selection.KFold` without ``shuffle``. It then holds out whole
    rows. Only the column offsets are known for these, so R^2 is about 0 even for a good model. Use
    ``KFold(5, shuffle=True, random_state=0)`` or ``ShuffleSplit``. Functions that split the rows of
    a matrix, ``fit(X)``, cannot hold out entries of it at all.

    References
    ----------
    Implicit feedback: Hu, Koren and Volinsky, 2008, "Collaborative filtering for implicit feedback
    datasets". Features in prior means: Agarwal and Chen, 2009, "Regression-based latent factor
    models". SVD++: Koren, 2008, "Factorization meets the neighborhood". Offsets that drift: Koren,
    2009, "Collaborative filtering with temporal dynamics". Flatness of factorizations: Josz,
    arXiv:2509.11386. Weakness: Bennett, arXiv:2605.05209.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import train_test_split
    >>> from skflat import FlatMatrixFactorization
    >>> rng = np.random.default_rng(0)
    >>> M = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 40))
    >>> X = np.argwhere(rng.random(M.shape) < 0.6)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, M[tuple(X.T)], random_state=0)
    >>> model = FlatMatrixFactorization(5, rho=0.05, alpha=0.01, random_state=0)
    >>> model.fit(X_train, y_train).score(X_test, y_test) > 0.95
    True
    >>> tags = rng.normal(size=(5, 2))
    >>> model.set_params(item_features=(range(36, 41), tags)).fit(X_train, y_train)
    FlatMatrixFactorization(...)
    >>> model.item_coef_.shape, 40 in model.identifiers_[1]
    ((2, 6), True)
    >>> model.set_params(item_features=None)
    FlatMatrixFactorization(...)
    >>> M[::2, ::3] = np.nan
    >>> model.fit(M).inverse_transform(model.transform(M)).shape
    (60, 40)
    """

    def __init__(
        self,
        n_components=10,
        *,
        solver="als",
        rho="auto",
        alpha="auto",
        alpha_offsets=2.0,
        fit_offsets=True,
        balance=None,
        clip=None,
        keep_seen=False,
        feedback="explicit",
        confidence=40.0,
        user_features=None,
        item_features=None,
        alpha_features=1.0,
        timestamps=None,
        n_time_bins=30,
        alpha_drift=20.0,
        input="auto",
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=20000,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.01,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        n_jobs=None,
    ):
        self.n_components = n_components
        self.solver = solver
        self.rho = rho
        self.alpha = alpha
        self.alpha_offsets = alpha_offsets
        self.fit_offsets = fit_offsets
        self.balance = balance
        self.clip = clip
        self.keep_seen = keep_seen
        self.feedback = feedback
        self.confidence = confidence
        self.user_features = user_features
        self.item_features = item_features
        self.alpha_features = alpha_features
        self.timestamps = timestamps
        self.n_time_bins = n_time_bins
        self.alpha_drift = alpha_drift
        self.input = input
        self.measures = measures
        self.measure_max_samples = measure_max_samples
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit to observed entries, and measure unless ``measures=None``.

        Parameters
        ----------
        X : array-like of shape (n_observations, n_kinds)
            Identifiers. Without ``y`` it is the matrix, of shape (n_rows, n_columns). Missing
            entries are NaN in a dense matrix and not stored in a sparse one.
        y : array-like of shape (n_observations,), default=None
            Values.
        sample_weight : array-like of shape (n_observations,), default=None
            Weights, which must not be negative. For a matrix the shape is (n_rows,).

        Returns
        -------
        self : FlatMatrixFactorization

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or training diverged.
        """
        with all_or_nothing(self):
            return self._fit(X, y, sample_weight)

    @available_if(updates)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on the given observations. Their identifiers may be new.

        Call ``measure`` to measure the result. The method is only available for solvers that use
        batches, and for ``'als'`` with ``keep_seen=True`` and without ``timestamps``. ``'lbfgs'``
        needs all observations at once. If there are new identifiers, the moments of the base
        optimizer start anew. A matrix may get new rows, but no new columns. The first call sets the
        unit ``scale_``, so give it enough observations for this.

        ``'als'`` solves once for every entity that occurs in the given observations, from all of
        its observations in this and all earlier calls of ``fit``, ``partial_fit`` and ``fold_in``.
        The factors of all others stay. Offsets keep a mean of 0. The cost is that of a sweep over
        the observations of these entities. There is no early stopping then.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``.

        Returns
        -------
        self : FlatMatrixFactorization
        """
        with all_or_nothing(self):
            return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X):
        """Predict the values of entries.

        Parameters
        ----------
        X : array-like of shape (n_entries, n_kinds)
            Identifiers. For a matrix they are the numbers of row and column. An identifier that was
            not seen in ``fit``, and is in no table of features, has factors and offset 0.

        Returns
        -------
        ndarray of shape (n_entries,)
        """
        check_is_fitted(self)
        return self._predicted(self._known_codes(self._identified(X)))

    def score(self, X, y=None, sample_weight=None):
        """Coefficient of determination R^2 of the predictions.

        Parameters
        ----------
        X, y, sample_weight
            As in ``fit``. A matrix, without ``y``, must have the same rows as the fitted one.

        Returns
        -------
        float
        """
        codes, values, weight = self.observations(X, y, sample_weight)
        if self._implicit:
            return self._preference_score(codes, values, weight)
        return r2_score(values, self._predicted(codes), sample_weight=weight)

    def transform(self, X):
        """Find the factors of known or new rows of the matrix, or of the entities of observations.

        After a fit on a matrix, this solves for the factors that best reproduce the observed
        entries of every row, with fixed columns, like ``'als'``. After a fit on identifiers and
        values, the factors of all entities of an observation are put side by side. An identifier
        that was not seen in ``fit`` has factors and offset 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_columns)
            Rows of the matrix, with missing entries as in ``fit``. Or identifiers, of shape
            (n_observations, n_kinds).

        Returns
        -------
        ndarray of shape (n_rows, n_components) or (n_rows, n_components + 1)
            Row factors. With ``fit_offsets`` the row's offset is the last column. For identifiers,
            of shape (n_observations, n_kinds * n_components) or, with offsets,
            (n_observations, n_kinds * (n_components + 1)), the factors of every kind are followed
            by its offset. One kind alone has offsets only.
        """
        check_is_fitted(self)
        if self._matrix:
            return self._folded_in(self._matrix_of(X))
        return self._embedded(self._known_codes(self._identified(X)))

    @available_if(_knows_the_matrix)
    def inverse_transform(self, W):
        """Compute complete rows of the matrix from the result of ``transform``.

        Parameters
        ----------
        W : array-like of shape (n_rows, n_components) or (n_rows, n_components + 1)
            Row factors and offsets.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
        """
        check_is_fitted(self)
        return self._clipped(self._completed(W))

    @property
    def row_factors_(self):
        """Factors of the rows, shape (n_rows, n_components)."""
        return self._of_two("factors_")[0]

    @property
    def column_factors_(self):
        """Factors of the columns, shape (n_columns, n_components)."""
        return self._of_two("factors_")[1]

    @property
    def components_(self):
        """Factors of the columns, transposed."""
        return self._of_two("factors_")[1].T

    @property
    def row_offsets_(self):
        """Offsets of the rows, or None."""
        return self.offsets_ and self._of_two("offsets_")[0]

    @property
    def column_offsets_(self):
        """Offsets of the columns, or None."""
        return self.offsets_ and self._of_two("offsets_")[1]

    @property
    def conserved_(self):
        """``X' X - Y' Y`` of row and column factors, which gradient flow conserves."""
        return conserved(*self._of_two("factors_"))

    def _of_two(self, name):
        found = getattr(self, name)
        if len(found) != 2:
            raise AttributeError(f"Rows and columns are of two kinds; here are {len(found)}.")
        return found

    @property
    def _n_features_out(self):
        """Number of columns of what ``transform`` returns."""
        widths = [F.shape[1] + (self.offsets_ is not None) for F in self.factors_]
        return widths[0] if self._matrix else sum(widths)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.input_tags.categorical = True
        return tags

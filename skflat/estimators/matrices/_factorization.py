"""Matrix factorization that seeks flat minima."""

from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ..._compat import fit_context
from ...symmetry import conserved
from .._pipeline import all_or_nothing, is_stochastic
from ._fit import BaseFactorization


def _knows_the_matrix(estimator):
    if not getattr(estimator, "_matrix", False):
        raise AttributeError(
            "Only a FlatMatrixFactorization fitted on a matrix, fit(X) without y, transforms rows "
            "of it."
        )
    return True


class FlatMatrixFactorization(RegressorMixin, BaseFactorization):
    """Matrix factorization with missing entries that seeks a flat minimum, and measures it.

    An entry is ``intercept + row offset + column offset + row factors . column factors``, fitted to
    those that are observed by least squares. There are two ways in:

    * ``fit(X, y)``: every row of ``X`` names one observation by its identifiers (the row and the
      column of a matrix; a user and an item) and ``y`` holds the values. What splits samples, as
      ``train_test_split`` or ``GridSearchCV`` do, then splits *entries*. Identifiers are numbers,
      strings, dates, categories or anything else that has an order, one kind a column. With more
      than two columns there are the offsets and the inner products of every pair of them, with one
      column offsets alone.
    * ``fit(X)``: ``X`` is the matrix itself. What is NaN, or not stored where it is sparse, is
      missing.

    Targets are fitted in units of ``scale_``, what offsets leave of them. So at its defaults the
    model of ``c * y`` is ``c`` times that of ``y``, whatever the solver. Attributes are in the unit
    of ``y``; of the parameters only ``rho`` is.

    Parameters
    ----------
    n_components : int, default=10
        Length of the factors.
    solver : str or solver object, default='als'
        How to minimise. ``'als'`` minimises the expected loss under weight noise in closed form,
        see `skflat.solvers.ALS`. All others of `skflat.solvers.SOLVERS` descend on batches of
        observations.
    rho : 'auto' or float, default='auto'
        The radius, in parameter space, over which the solution must stay good. For ``'als'`` the
        standard deviation of Gaussian noise on every parameter: the expected loss under that noise
        is minimised, which is the loss plus ``rho ** 2 / 2`` times the trace of its Hessian. That
        penalises the factors by how often they are used, and does not shrink offsets. Every other
        solver says how it reads it. A number has the unit of the factors, the square root of that
        of ``y``; ``'auto'`` grows with the targets.
    alpha : 'auto' or float, default='auto'
        Strength of the L2 penalty on all factors, however often they are used, in units of
        ``scale_``, so that a number means the same in every unit of ``y``. ``'auto'`` tries 32, 8,
        2 and so on down to 1/128 as long as the entries held out for that, a tenth, are predicted
        better: a few rough fits by ``'als'``, which cost about as much as the fit. It is 1 where
        there are fewer than ten observations to hold out, and where ``partial_fit`` comes first.
    alpha_offsets : float, default=2.0
        Strength of the L2 penalty on offsets, in units of observations: an offset known from ``n``
        of them is shrunk by ``n / (n + alpha_offsets)``. On ratings of films and jokes 1 to 3 did
        best.
    fit_offsets : bool, default=True
        Whether there are an intercept and offsets; without them it is the product of two matrices.
    balance : {'frobenius', 'lambda_max', 'trace'} or None, default=None
        Of the factors that predict the same, return the flattest at the end of ``fit``: those with
        the least sum of squares, with which the largest eigenvalue of the Hessian at an exact fit
        of a full matrix is least; those with the smallest largest eigenvalue that a search finds
        for the entries observed, which takes minutes for a hundred thousand; or those with the
        least trace of the Hessian. See `skflat.symmetry.balance` and `balance_eigenvalue`. Two
        columns of identifiers only.
    clip : pair of float or None, default=None
        Least and greatest value to predict.
    measures : sequence of str or None, default=('sharpness', 'flatness', 'weakness')
        What to measure at the end of ``fit``: names of `skflat.measures.MEASURES`.
    measure_max_samples : int, default=20000
        Most observations to measure on. Sharpness and weakness take all of them all the same: their
        cost is small.
    batch_size : int or 'auto', default='auto'
        Observations of a batch; ``'auto'`` is 200, or a thousandth of them where that is more.
    learning_rate : {'constant', 'invscaling', 'adaptive', 'cosine'}, default='constant'
        Schedule of the base optimizer ``'sgd'``; the fourth, half a cosine over ``max_iter``
        epochs, is for ``'adam'`` too.
    learning_rate_init : float, default=0.01
        Rate of the first step, in units of ``scale_``.
    power_t : float, default=0.5
        Exponent of ``learning_rate='invscaling'``.
    max_iter : int, default=200
        Most sweeps of ``'als'``, epochs, or iterations of ``'lbfgs'``.
    shuffle : bool, default=True
        Whether to draw the batches anew in every epoch.
    random_state : int, RandomState instance or None, default=None
        Draws initialisation, validation split and batches.
    tol : float, default=1e-4
        The least that counts as an improvement of validation score, or of the loss of targets in
        units of ``scale_``; for ``'als'`` the least share by which the loss has to fall.
    verbose : bool, default=False
        Whether to print every epoch, with that loss.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the factors of the fit before. Identifiers not seen before are
        added.
    momentum : float, default=0.9
        Of the base optimizer ``'sgd'``.
    nesterovs_momentum : bool, default=True
        Whether that momentum is Nesterov's.
    early_stopping : bool, default=False
        Whether to stop when R^2 on observations held out no longer improves, and to keep the
        factors that scored best.
    validation_fraction : float, default=0.1
        Share of the observations held out for that.
    beta_1, beta_2 : float, default=0.9 and 0.999
        Decay of the two moments of the base optimizer ``'adam'``.
    epsilon : float, default=1e-8
        Keeps the division by the second moment finite.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops; of ``'als'`` under early stopping.
    max_fun : int, default=15000
        Most function calls of ``'lbfgs'``.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_columns)
        Column factors, transposed.
    row_factors_ : ndarray of shape (n_rows, n_components)
    column_factors_ : ndarray of shape (n_columns, n_components)
    row_offsets_ : ndarray of shape (n_rows,) or None
    column_offsets_ : ndarray of shape (n_columns,) or None
    intercept_ : float
        0 without offsets.
    factors_ : list of ndarray of shape (n_entities, n_components)
        One a column of identifiers; the ones above are for two columns.
    offsets_ : list of ndarray of shape (n_entities,) or None
    identifiers_ : list of ndarray of shape (n_entities,)
        The identifiers of every column, in the order of factors and offsets.
    conserved_ : ndarray of shape (n_components, n_components)
        ``X' X - Y' Y`` of row factors ``X`` and column factors ``Y``, which gradient flow keeps; 0
        where they are balanced. Two columns only.
    rho_ : float
        The radius used.
    alpha_ : float
        The penalty of the factors used, in units of ``scale_``.
    scale_ : float
        The unit in which targets were fitted: the root mean square of what offsets leave of them
        that are fitted to all other observations, about the standard deviation where offsets say
        little; without offsets, and of a constant target, that of the targets. A warm start and
        ``partial_fit`` keep that of the first call.
    sharpness_ : float
        Trace of the Hessian of the unpenalised mean training loss, exact; smaller is flatter.
    flatness_ : float
        Distance to the nearest level set of that loss one tenth of the best constant prediction's
        loss away; larger is flatter. In closed form where a full matrix is fitted exactly, without
        offsets and with factors of equal largest singular value; otherwise found by search.
    weakness_ : float
        Share in [0, 1] of (unseen entry, outcome) pairs that are still open: with all else held,
        which tenths of the targets some factors of the entry's column can reach while they
        reproduce the fitted values of the observed ones; larger is weaker. See
        `skflat.measures.Weakness`.
    measurements_ : dict of str to Measurement
        The same with standard errors and protocols.
    n_grad_evals_ : float
        Observations differentiated by the solver divided by their number. A sweep of ``'als'``
        counts 1 a column of identifiers.
    loss_ : float
        Loss of the last epoch.
    loss_curve_ : list of float
        Loss of every epoch, or expected loss of every sweep of ``'als'``.
    best_loss_ : float or None
        Least loss of an epoch; None under early stopping.
    validation_scores_ : list of float or None
        R^2 on the observations held out after every epoch.
    validation_loss_curve_ : list of float or None
    best_validation_score_ : float or None
    n_iter_ : int
        Sweeps, epochs or iterations of the last fit.
    t_ : int
        Observations passed over by a stochastic solver.
    n_features_in_ : int
        Columns of ``X`` in ``fit``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where ``X`` had string names.

    See Also
    --------
    FlatMatrixImputer : Fills the missing entries of a table in a Pipeline.
    skflat.solvers.ALS : The default solver.
    skflat.symmetry.balance : The flattest among equivalent factors.

    Notes
    -----
    The objective is ``sum v (y - score)^2 + scale_ alpha |F|^2 + alpha_offsets |b|^2``, divided by
    ``2 V``. There ``v`` are the weights of the observations, ``V`` is their sum, ``F`` are the
    factors and ``b`` the offsets without the intercept. Solvers that take batches minimise it too:
    their penalty is that of all rows. Multiply by ``2 V`` for the sum; its Hessian goes with it.

    Of a full m x n matrix without offsets the trace of the sum's Hessian is
    ``2 (n |X|^2 + m |Y|^2)``, and ``sharpness_`` that divided by ``2 m n``. Noise of standard
    deviation ``rho`` adds to the sum ``rho^2 (n |X|^2 + m |Y|^2)`` and the constant
    ``rho^4 n_components m n``.

    Observations of the same entry count as often as they are there. The factors of a row or column
    without any are 0, and of such columns there is a warning.

    Where training ends no better than the best constant prediction, there is a
    ``ConvergenceWarning``. Values of ``y`` may be as small as 1e-300, and so large that the square
    of their deviation is finite; measures need the square of the small ones too.

    Shuffle before you hold observations out: they often come in the order of their rows. ``cv=5``,
    which is `sklearn.model_selection.KFold` without ``shuffle``, then holds out whole rows, of
    which nothing is known but the column offsets, and R^2 falls to about 0 however good the model.
    Take ``KFold(5, shuffle=True, random_state=0)`` or ``ShuffleSplit``. What splits the rows of a
    matrix, ``fit(X)``, cannot hold out entries of it at all.

    References
    ----------
    Flatness of factorizations: Josz, arXiv:2509.11386. Weakness: Bennett, arXiv:2605.05209.

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
    ):
        self.n_components = n_components
        self.solver = solver
        self.rho = rho
        self.alpha = alpha
        self.alpha_offsets = alpha_offsets
        self.fit_offsets = fit_offsets
        self.balance = balance
        self.clip = clip
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

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit to observed entries, and measure unless ``measures=None``.

        Parameters
        ----------
        X : array-like of shape (n_observations, n_kinds)
            Identifiers. Without ``y`` the matrix, of shape (n_rows, n_columns), dense with NaN or
            sparse with nothing where an entry is missing.
        y : array-like of shape (n_observations,), default=None
            Values.
        sample_weight : array-like of shape (n_observations,), default=None
            Not negative; for a matrix of shape (n_rows,).

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

    @available_if(is_stochastic)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """One epoch over the given observations, whose identifiers may be new.

        Measures nothing: call ``measure`` for that. For solvers that pass over batches: ``'als'``
        and ``'lbfgs'`` look at all observations at once. The moments of the base optimizer start
        anew when there are new identifiers. A matrix may get new rows, but no new columns. The
        first call sets the unit ``scale_``: give it enough observations to tell.

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
        """Values of entries.

        Parameters
        ----------
        X : array-like of shape (n_entries, n_kinds)
            Identifiers; of a matrix the numbers of row and column. One that was not seen in ``fit``
            counts with factors and offset 0.

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
            As in ``fit``. A matrix, without ``y``, has the rows of the one fitted.

        Returns
        -------
        float
        """
        codes, values, weight = self.observations(X, y, sample_weight)
        return r2_score(values, self._predicted(codes), sample_weight=weight)

    @available_if(_knows_the_matrix)
    def transform(self, X):
        """Factors of rows, known or new, that best reproduce what is observed of them.

        Solves for every row with the columns held, as ``'als'`` does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_columns)
            Rows of the matrix, with what is missing as in ``fit``.

        Returns
        -------
        ndarray of shape (n_rows, n_components) or (n_rows, n_components + 1)
            Row factors and, with ``fit_offsets``, the row's offset as a last column.
        """
        check_is_fitted(self)
        return self._folded_in(self._matrix_of(X))

    @available_if(_knows_the_matrix)
    def inverse_transform(self, W):
        """Whole rows of the matrix from what ``transform`` returns.

        Parameters
        ----------
        W : array-like of shape (n_rows, n_components) or (n_rows, n_components + 1)

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
        """``X' X - Y' Y`` of row and column factors, which gradient flow keeps."""
        return conserved(*self._of_two("factors_"))

    def _of_two(self, name):
        found = getattr(self, name)
        if len(found) != 2:
            raise AttributeError(f"Rows and columns are of two kinds; here are {len(found)}.")
        return found

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        tags.input_tags.categorical = True
        return tags

"""Multi-layer perceptrons that choose their radius and their penalty by cross-validation."""

from ..._compat import fit_context
from ._documentation import searching
from ._fit import BaseFlatMLP
from ._networks import FlatMLPClassifier, FlatMLPRegressor
from ._search import Searching


@searching
class FlatMLPClassifierCV(Searching, FlatMLPClassifier):
    """`FlatMLPClassifier` that chooses ``rho`` and ``alpha`` by cross-validation.

    The two classes are related like scikit-learn's ``LogisticRegressionCV`` and
    ``LogisticRegression``. Every setting is trained on every split, most of them for a few epochs
    only. Then the network with the chosen setting is fitted to all rows. The result is the same as
    a `FlatMLPClassifier` with this setting.

    Parameters
    ----------
    {parameters}
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes, multiplied with ``sample_weight``.
    label_smoothing : float, default=0.0
        Share of every label, in [0, 1], that training spreads evenly over all classes.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    {attributes}

    See Also
    --------
    FlatMLPClassifier : The same with one setting.
    skflat.model_selection.flattest_within_one_se : The other way to choose.
    skflat.displays.RhoPathDisplay : A plot of the results.

    Notes
    -----
    {notes}

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = FlatMLPClassifierCV(
    ...     (10,), rhos=4, alphas=[1e-4, 1], learning_rate_init=0.02, max_iter=500, random_state=0
    ... )
    >>> clf.fit(X, y).best_score_ > 0.9
    True
    >>> clf.rho_ in clf.rhos_ and clf.alpha_ in clf.alphas_
    True
    >>> clf.flatness_ > 0
    True
    """

    _network_class = FlatMLPClassifier
    _parameter_constraints: dict = Searching.constraints_of(FlatMLPClassifier)

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="auto",
        rhos=8,
        alphas=(0.0001, 0.01, 1.0),
        cv=None,
        scoring=None,
        n_jobs=None,
        select="best",
        budget=None,
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=2000,
        weight_decay=0.0,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        warmup=0.0,
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
        flatten=None,
        flatten_every=None,
        class_weight=None,
        label_smoothing=0.0,
    ):
        BaseFlatMLP.__init__(
            self,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            rhos=rhos,
            alphas=alphas,
            cv=cv,
            scoring=scoring,
            n_jobs=n_jobs,
            select=select,
            budget=budget,
            class_weight=class_weight,
            label_smoothing=label_smoothing,
            measures=measures,
            measure_max_samples=measure_max_samples,
            weight_decay=weight_decay,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            warmup=warmup,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            flatten=flatten,
            flatten_every=flatten_every,
        )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Search, and fit the network with the chosen setting to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Class labels, or an indicator matrix if a row has several labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, for training and for scoring. They must not be negative.
        groups : array-like of shape (n_samples,), default=None
            Passed on to ``cv``, for splits that keep groups together.

        Returns
        -------
        self : FlatMLPClassifierCV

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or training diverged with every setting.

        Warns
        -----
        FitFailedWarning
            If training diverged with some settings. These have no score.
        ConvergenceWarning
            For the chosen network, as in `FlatMLPClassifier`.
        """
        return self._fit_searching(X, y, sample_weight, groups)


@searching
class FlatMLPRegressorCV(Searching, FlatMLPRegressor):
    """`FlatMLPRegressor` that chooses ``rho`` and ``alpha`` by cross-validation.

    It works like `FlatMLPClassifierCV`, for continuous targets.

    Parameters
    ----------
    {loss}
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    FlatMLPRegressor : The same with one setting.
    skflat.model_selection.flattest_within_one_se : The other way to choose.
    skflat.displays.RhoPathDisplay : A plot of the results.

    Notes
    -----
    {notes}

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skflat import FlatMLPRegressorCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = FlatMLPRegressorCV(
    ...     hidden_layer_sizes=(10,), rhos=4, learning_rate_init=0.01, max_iter=500, random_state=0
    ... )
    >>> reg.fit(scale(X), scale(y)).best_score_ > 0.4
    True
    """

    _network_class = FlatMLPRegressor
    _parameter_constraints: dict = Searching.constraints_of(FlatMLPRegressor)

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="auto",
        rhos=8,
        alphas=(0.0001, 0.01, 1.0),
        cv=None,
        scoring=None,
        n_jobs=None,
        select="best",
        budget=None,
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=2000,
        weight_decay=0.0,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        warmup=0.0,
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
        flatten=None,
        flatten_every=None,
        quantile=0.5,
        delta=1.0,
    ):
        BaseFlatMLP.__init__(
            self,
            loss=loss,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            quantile=quantile,
            delta=delta,
            solver=solver,
            rhos=rhos,
            alphas=alphas,
            cv=cv,
            scoring=scoring,
            n_jobs=n_jobs,
            select=select,
            budget=budget,
            measures=measures,
            measure_max_samples=measure_max_samples,
            weight_decay=weight_decay,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            warmup=warmup,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
            flatten=flatten,
            flatten_every=flatten_every,
        )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Search, and fit the network with the chosen setting to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, for training and for scoring. They must not be negative.
        groups : array-like of shape (n_samples,), default=None
            Passed on to ``cv``, for splits that keep groups together.

        Returns
        -------
        self : FlatMLPRegressorCV

        Raises
        ------
        ValueError
            If the data or a parameter is not valid, or training diverged with every setting.

        Warns
        -----
        FitFailedWarning
            If training diverged with some settings. These have no score.
        ConvergenceWarning
            For the chosen network, as in `FlatMLPRegressor`.
        """
        return self._fit_searching(X, y, sample_weight, groups)

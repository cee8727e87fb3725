"""Estimators of a model that is written as one function."""

from ..._compat import StrOptions
from ...objective import Binary, CustomClassLoss, CustomLoss, Multinomial
from ..supervised import FlatModelClassifier, FlatModelRegressor
from ._documentation import documented
from ._fit import BaseFlatFunction


@documented
class FlatFunctionClassifier(BaseFlatFunction, FlatModelClassifier):
    """Classifier of your own: one function of named arrays, at a flat minimum that is measured.

    All solvers, measures, displays and experiments work as with `FlatMLPClassifier`.

    Parameters
    ----------
    {function}
    loss : 'log_loss' or callable, default='log_loss'
        What to minimise: the log-loss, or a function ``loss(raw_prediction, y)`` that returns one
        value a row, written with ``autograd.numpy``. There ``y`` holds the places of the labels in
        ``classes_``, shape (n_rows,), with three classes or more. With two classes or several
        labels it is 0 or 1, of shape (n_rows, n_outputs).
    prediction : callable, default=None
        Probabilities as a function of the raw prediction, for a ``loss`` that is a function. They
        have its shape. None is the softmax, or the logistic function with two classes or labels.
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes, multiplied with ``sample_weight``.
    label_smoothing : float, default=0.0
        As in `FlatMLPClassifier`; it belongs to the log-loss.
    {training}

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    {attributes}

    See Also
    --------
    FlatFunctionRegressor : The same for continuous targets.
    skflat.as_model : Measure a function and its parameters without an estimator.

    Notes
    -----
    {notes}

    Examples
    --------
    >>> import autograd.numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatFunctionClassifier
    >>> def forward(params, X):
    ...     return np.tanh(X @ params["U"]) @ params["V"]
    >>> X, y = load_iris(return_X_y=True)
    >>> start = {"U": (4, 8), "V": (8, 3)}
    >>> clf = FlatFunctionClassifier(
    ...     forward, start, solver="sam", learning_rate_init=0.02, max_iter=500, random_state=0
    ... )
    >>> clf.fit(X - X.mean(axis=0), y).score(X - X.mean(axis=0), y) > 0.95
    True
    >>> clf.params_["U"].shape, clf.sharpness_ > 0
    ((4, 8), True)
    """

    _defaults = FlatModelClassifier._defaults | {
        "forward": None,
        "init": None,
        "features": None,
        "penalized": None,
        "loss": "log_loss",
        "prediction": None,
        "learning_rate_init": "auto",
    }

    #: Whether there are two scores for two classes, see `as_model`.
    _two_scores = False

    _parameter_constraints: dict = {
        **FlatModelClassifier._parameter_constraints,
        **BaseFlatFunction._function_constraints,
        "loss": [StrOptions({"log_loss"}), callable],
    }

    def __init__(
        self,
        forward=None,
        init=None,
        *,
        features=None,
        penalized=None,
        loss="log_loss",
        prediction=None,
        class_weight=None,
        label_smoothing=0.0,
        solver="auto",
        rho="auto",
        measures="auto",
        measure_max_samples=2000,
        alpha=0.0001,
        weight_decay=0.0,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init="auto",
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
    ):
        super().__init__(
            forward=forward,
            init=init,
            features=features,
            penalized=penalized,
            loss=loss,
            prediction=prediction,
            class_weight=class_weight,
            label_smoothing=label_smoothing,
            solver=solver,
            rho=rho,
            measures=measures,
            measure_max_samples=measure_max_samples,
            alpha=alpha,
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
        )

    def _count_outputs(self, y):
        return 2 if self._two_scores else super()._count_outputs(y)

    def _out_activation(self):
        return "softmax" if self._two_scores else super()._out_activation()

    def _new_loss(self):
        if not callable(self.loss):
            return None
        if self.label_smoothing > 0:
            raise ValueError(
                "label_smoothing belongs to loss='log_loss'. With a loss of your own it must be 0, "
                f"got {self.label_smoothing}."
            )
        softmax = self.out_activation_ == "softmax"
        like = Multinomial(n_classes=self.n_outputs_) if softmax else Binary()
        return CustomClassLoss(self.loss, self.prediction, like, self.n_outputs_)


@documented
class FlatFunctionRegressor(BaseFlatFunction, FlatModelRegressor):
    """Regressor of your own: one function of named arrays, at a flat minimum that is measured.

    All solvers, measures, displays and experiments work as with `FlatMLPRegressor`.

    Parameters
    ----------
    {function}
    {loss}
    prediction : callable, default=None
        What to predict, as a function of the raw prediction, for a ``loss`` that is a function. It
        returns one row a row. None predicts the raw prediction.
    quantile : float, default=0.5
        The quantile, in (0, 1), that ``loss='pinball'`` predicts.
    delta : float, default=1.0
        Where ``loss='huber'`` becomes linear, in the unit of the target.
    {training}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    FlatFunctionClassifier : The same for classes.
    skflat.as_model : Measure a function and its parameters without an estimator.

    Notes
    -----
    {notes}

    Examples
    --------
    >>> import autograd.numpy as np
    >>> from skflat import FlatFunctionRegressor
    >>> def decay(params, X):
    ...     return np.exp(-X @ np.exp(params["log_rates"])) @ params["amplitudes"]
    >>> X = np.linspace(0, 5, 100)[:, None]
    >>> y = np.exp(-X[:, 0]) + 2 * np.exp(-3 * X[:, 0])
    >>> start = {"log_rates": np.array([[-0.5, 0.5]]), "amplitudes": np.ones(2)}
    >>> reg = FlatFunctionRegressor(decay, start, solver="lbfgs", alpha=0, max_iter=500)
    >>> reg.fit(X, y).score(X, y) > 0.999
    True
    """

    _defaults = FlatModelRegressor._defaults | {
        "forward": None,
        "init": None,
        "features": None,
        "penalized": None,
        "prediction": None,
        "learning_rate_init": "auto",
    }

    _parameter_constraints: dict = {
        **FlatModelRegressor._parameter_constraints,
        **BaseFlatFunction._function_constraints,
        "loss": [*FlatModelRegressor._parameter_constraints["loss"], callable],
    }

    def __init__(
        self,
        forward=None,
        init=None,
        *,
        features=None,
        penalized=None,
        loss="squared_error",
        prediction=None,
        quantile=0.5,
        delta=1.0,
        solver="auto",
        rho="auto",
        measures="auto",
        measure_max_samples=2000,
        alpha=0.0001,
        weight_decay=0.0,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init="auto",
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
    ):
        super().__init__(
            forward=forward,
            init=init,
            features=features,
            penalized=penalized,
            loss=loss,
            prediction=prediction,
            quantile=quantile,
            delta=delta,
            solver=solver,
            rho=rho,
            measures=measures,
            measure_max_samples=measure_max_samples,
            alpha=alpha,
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
        )

    def _new_loss(self):
        if callable(self.loss):
            return CustomLoss(self.loss, self.prediction)
        return super()._new_loss()

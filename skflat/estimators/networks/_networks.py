"""Multi-layer perceptrons that seek flat minima."""

from sklearn.neural_network import MLPClassifier, MLPRegressor

from ..supervised import FlatModelClassifier, FlatModelRegressor
from ._documentation import documented
from ._fit import BaseFlatMLP


@documented
class FlatMLPClassifier(BaseFlatMLP, FlatModelClassifier):
    """Multi-layer perceptron classifier that seeks a flat minimum, and measures it.

    It can replace scikit-learn's ``MLPClassifier``. Every parameter, attribute and method of
    ``MLPClassifier`` exists here with the same name, default and meaning. Only the default
    ``solver`` differs. The classifier minimises the log-loss.

    Parameters
    ----------
    {parameters}
    class_weight : dict, 'balanced' or None, default=None
        Weights of the classes, multiplied with ``sample_weight``.
    label_smoothing : float, default=0.0
        Share of every label, in [0, 1], that training spreads evenly over all classes. The label's
        own class is included, as in PyTorch's ``CrossEntropyLoss``. For two classes, and for each
        label of a multilabel target, the share is spread over yes and no. ``loss_curve_`` contains
        this loss. Validation losses and measures use the log-loss itself.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    {attributes}

    See Also
    --------
    FlatMLPRegressor : The same for continuous targets.
    skflat.solvers : The solvers, with the cost of a step.
    skflat.measures : The measures, with their invariances.

    Notes
    -----
    There are three differences from scikit-learn. ``solver='lbfgs'`` has a ``loss_curve_``. It
    returns parameters of the input's dtype. ``partial_fit`` supports ``early_stopping``.

    An interruption by the keyboard ends the training with a warning, and the network is usable as
    far as it came. As one of several fits, in a grid search or a cross-validation, it hands the
    interruption on, which ends them all.

    References
    ----------
    Sharpness-aware minimisation: Foret and others, arXiv:2010.01412. Flatness as the distance
    of level sets: Josz, arXiv:2509.11386. Weakness: Bennett, arXiv:2605.05209.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skflat import FlatMLPClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> clf = FlatMLPClassifier(solver="sam", rho=0.1, max_iter=1000, random_state=0)
    >>> pipe = make_pipeline(StandardScaler(), clf).fit(X_train, y_train)
    >>> pipe.score(X_test, y_test) > 0.95
    True
    >>> 0 <= clf.weakness_ <= 1 and clf.flatness_ > 0
    True
    """

    _counterpart = MLPClassifier

    _parameter_constraints: dict = {
        **FlatModelClassifier._parameter_constraints,
        **BaseFlatMLP._network_constraints,
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="auto",
        rho="auto",
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=2000,
        alpha=0.0001,
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
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            rho=rho,
            class_weight=class_weight,
            label_smoothing=label_smoothing,
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
            flatten=flatten,
            flatten_every=flatten_every,
        )


@documented
class FlatMLPRegressor(BaseFlatMLP, FlatModelRegressor):
    """Multi-layer perceptron regressor that seeks a flat minimum, and measures it.

    It can replace scikit-learn's ``MLPRegressor``. Every parameter, attribute and method of
    ``MLPRegressor`` exists here with the same name, default and meaning. Only the default
    ``solver`` differs. The regressor minimises half the squared error, or another loss.

    Parameters
    ----------
    {loss}
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    FlatMLPClassifier : The same for class labels.
    skflat.solvers : The solvers, with the cost of a step.
    skflat.measures : The measures, with their invariances.

    Notes
    -----
    With several outputs, the gradient is the gradient of the loss summed over the outputs. But
    ``loss_curve_`` reports the mean over the outputs. Both are as in scikit-learn. Targets are
    converted to the dtype of ``X``.

    An interruption by the keyboard ends the training with a warning, and the network is usable as
    far as it came. As one of several fits, in a grid search or a cross-validation, it hands the
    interruption on, which ends them all.

    References
    ----------
    Sharpness-aware minimisation: Foret and others, arXiv:2010.01412. Flatness as the distance
    of level sets: Josz, arXiv:2509.11386. Weakness: Bennett, arXiv:2605.05209.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skflat import FlatMLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = FlatMLPRegressor(rho=0.1, learning_rate_init=0.01, max_iter=1000, random_state=0)
    >>> pipe = make_pipeline(StandardScaler(), reg).fit(X, y)
    >>> pipe.score(X, y) > 0.4
    True
    """

    _counterpart = MLPRegressor

    _parameter_constraints: dict = {
        **FlatModelRegressor._parameter_constraints,
        **BaseFlatMLP._network_constraints,
    }

    def __init__(
        self,
        loss="squared_error",
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        solver="auto",
        rho="auto",
        measures=("sharpness", "flatness", "weakness"),
        measure_max_samples=2000,
        alpha=0.0001,
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
        super().__init__(
            loss=loss,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
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
            flatten=flatten,
            flatten_every=flatten_every,
        )

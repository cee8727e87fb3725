"""Fitted networks as scikit-learn's own, and the way back."""

import copy
from inspect import signature

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ...solvers import SOLVERS, History, spawn_generator

#: Activations and base optimizers that scikit-learn has.
ACTIVATIONS = ("identity", "logistic", "relu", "tanh")
OPTIMIZERS = ("adam", "lbfgs", "sgd")

#: Fitted attributes of the same name and meaning here and there, apart from the parameters.
SHARED = (
    "_label_binarizer",
    "best_loss_",
    "best_validation_score_",
    "classes_",
    "feature_names_in_",
    "loss_",
    "loss_curve_",
    "n_features_in_",
    "n_iter_",
    "n_layers_",
    "n_outputs_",
    "out_activation_",
    "t_",
    "validation_scores_",
)


class Exchange:
    """Mixin of a network of which scikit-learn has a counterpart, the class ``_counterpart``."""

    def to_sklearn(self):
        """scikit-learn's network with the same parameters and predictions.

        It takes a network to all that knows scikit-learn's: converters, explainers, and processes
        without skflat. `skflat.to_sklearn` does the same to networks within pipelines and searches.

        Returns
        -------
        MLPClassifier or MLPRegressor
            Fitted. Its predictions are equal to the bit. A solver that it does not know becomes
            its base optimizer, ``'adam'`` or ``'sgd'``; the schedule ``'cosine'`` becomes
            ``'constant'``. Measurements and the state of the solver stay behind.

        Raises
        ------
        NotFittedError
            If the network is not fitted.
        ValueError
            If scikit-learn lacks the activation.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from skflat import FlatMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = FlatMLPClassifier(max_iter=1000, random_state=0).fit(X, y)
        >>> mlp = clf.to_sklearn()
        >>> mlp.solver, bool((mlp.predict_proba(X) == clf.predict_proba(X)).all())
        ('adam', True)
        """
        check_is_fitted(self)
        return as_sklearn(self)

    @classmethod
    def from_sklearn(cls, mlp, **params):
        """A fitted network from one of scikit-learn's, to be measured and trained on.

        Parameters
        ----------
        mlp : MLPClassifier or MLPRegressor
            Fitted. It is not changed, and no memory is shared with it.
        **params
            Parameters of the new network. All others are those of ``mlp``, except
            ``solver='lbfgs'``, which has no ``partial_fit``: that becomes the default.

        Returns
        -------
        FlatMLPClassifier or FlatMLPRegressor
            Its predictions are equal to the bit. ``partial_fit`` goes on from the parameters with a
            new state of the solver, and so does ``fit`` with ``warm_start``. ``measure(X, y)``
            measures.

        Raises
        ------
        TypeError
            If ``mlp`` is something else, or a parameter is not known.
        NotFittedError
            If it is not fitted.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.neural_network import MLPClassifier
        >>> from skflat import FlatMLPClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> mlp = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
        >>> clf = FlatMLPClassifier.from_sklearn(mlp, solver="sam", rho=0.1)
        >>> before = clf.measure(X, y)["sharpness"].value
        >>> for _ in range(50):
        ...     clf = clf.partial_fit(X, y)
        >>> clf.measure(X, y)["sharpness"].value < before
        True
        """
        kind = cls._counterpart
        if not isinstance(mlp, kind):
            raise TypeError(f"mlp must be a fitted {kind.__name__}, got {type(mlp).__name__}.")
        check_is_fitted(mlp)
        common = _common(mlp, cls)
        if common["solver"] == "lbfgs":
            del common["solver"]
        network = cls(**common | params)
        _take_fitted(network, mlp)
        _begin_record(network)
        return network


def as_sklearn(network):
    """The counterpart of a network, fitted if that is.

    Parameters
    ----------
    network : FlatMLPClassifier or FlatMLPRegressor

    Returns
    -------
    MLPClassifier or MLPRegressor
    """
    _check_activation(network.activation)
    mlp = network._counterpart(**_counterpart_params(network))
    if hasattr(network, "coefs_"):
        _take_fitted(mlp, network)
        # What its training looks at when it goes on.
        mlp._no_improvement_count = 0
        mlp._best_coefs, mlp._best_intercepts = copy.deepcopy((mlp.coefs_, mlp.intercepts_))
    return mlp


def _counterpart_params(network):
    params = _common(network, network._counterpart)
    params["solver"] = _optimizer(network)
    if hasattr(network, "alpha_"):  # chosen by a search
        params["alpha"] = network.alpha_
    if params["learning_rate"] == "cosine":
        params["learning_rate"] = "constant"
    if params.get("loss", "poisson") not in ("squared_error", "poisson"):
        # What the outputs mean is in the link alone.
        linked = getattr(network, "out_activation_", "identity") == "exp"
        params["loss"] = "poisson" if linked else "squared_error"
    return params


def _common(estimator, cls):
    """Copies of the parameters that ``cls`` has, too."""
    theirs = signature(cls).parameters
    own = estimator.get_params(deep=False)
    return {name: copy.deepcopy(value) for name, value in own.items() if name in theirs}


def _take_fitted(target, source):
    """Give ``target`` copies of what ``source`` has learnt."""
    for name in SHARED:
        if hasattr(source, name):
            setattr(target, name, copy.deepcopy(getattr(source, name)))
    # In one piece of memory, as ours are: a product may depend on how its inputs lie.
    arrays = [*source.coefs_, *source.intercepts_]
    flat = np.concatenate([np.ravel(array) for array in arrays])
    ends = np.cumsum([array.size for array in arrays])[:-1]
    views = [
        part.reshape(array.shape) for part, array in zip(np.split(flat, ends), arrays, strict=True)
    ]
    target.coefs_, target.intercepts_ = views[: len(source.coefs_)], views[len(source.coefs_) :]


def _begin_record(network):
    """What a fit of ours leaves beside the parameters, as if it had just ended."""
    n_rows = network.t_ / max(network.n_iter_, 1)
    n_parameters = sum(array.size for array in (*network.coefs_, *network.intercepts_))
    network._random_state = check_random_state(network.random_state)
    network._measure_seed = int(spawn_generator(network._random_state).integers(2**31))
    network._history = History(
        loss_curve=list(getattr(network, "loss_curve_", [])),
        validation_scores=list(getattr(network, "validation_scores_", None) or []),
        last_loss=network.loss_,
        best_loss=_or(getattr(network, "best_loss_", None), np.inf),
        best_score=_or(getattr(network, "best_validation_score_", None), -np.inf),
        n_rows_seen=network.t_,
    )
    network.n_grad_evals_ = float(network.n_iter_)
    network._cost = 3.0 * network.n_iter_ * n_rows * n_parameters


def _or(value, default):
    return default if value is None else value


def _check_activation(activation):
    if isinstance(activation, str) and activation in ACTIVATIONS:
        return
    raise ValueError(
        f"activation={activation!r} cannot be exported: scikit-learn's networks know only "
        f"{', '.join(map(repr, ACTIVATIONS))}."
    )


def _optimizer(network):
    """The solver itself, or its base optimizer."""
    solver = network._solver()
    for name in OPTIMIZERS:
        if type(solver) is SOLVERS[name]:
            return name
    base = getattr(solver, "base", None)
    return base if isinstance(base, str) and base in OPTIMIZERS else "adam"

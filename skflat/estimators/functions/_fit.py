"""What estimators of a function have of their own: the function, its start, and its loss."""

import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_random_state

from ..._compat import StrOptions
from ...models.function import (
    FunctionModel,
    check_function,
    linear,
    linear_features,
    linear_shapes,
    start,
)
from ...objective import CustomLoss
from ...problems import loss_of
from ...solvers import History
from .._pipeline import SETTINGS
from ._picklable import check_picklable

#: Rates of the first step: that of scikit-learn's networks, and one for a convex problem.
RATE, RATE_OF_LINEAR = 0.001, 0.05
#: Parameters that may be functions.
FUNCTIONS = ("forward", "init", "features", "loss", "prediction")


class BaseFlatFunction:
    """Mixin of the estimators of a function: all that classifier and regressor share."""

    _function_constraints: dict = {
        "forward": [callable, None],
        "init": [dict, callable, None],
        "features": [callable, None],
        "penalized": ["array-like", None],
        "prediction": [callable, None],
        "learning_rate_init": [StrOptions({"auto"}), *SETTINGS["learning_rate_init"]],
    }

    def __getstate__(self):
        check_picklable(self, FUNCTIONS)
        return super().__getstate__()

    def _settings(self, solver, objective):
        settings = super()._settings(solver, objective)
        if self.learning_rate_init != "auto":
            return settings
        return settings.replaced(learning_rate_init=RATE if self.forward else RATE_OF_LINEAR)

    def make_model(self, n_features, n_outputs):
        """The function as a model, with the shapes that ``init`` says.

        Parameters
        ----------
        n_features, n_outputs : int

        Returns
        -------
        FunctionModel
        """
        return self._model_and_start(np.random.RandomState(0), n_features, n_outputs)[0]

    def _new_model(self, n_features, n_outputs, dtype):
        model, arrays = self._model_and_start(self._random_state, n_features, n_outputs)
        return model, model.layout.pack(arrays, dtype)

    def _model_and_start(self, random_state, n_features, n_outputs):
        forward, init, features = self._functions()
        arrays = start(init, random_state, n_features, n_outputs)
        shapes = {name: array.shape for name, array in arrays.items()}
        # A loss of your own may need other scores than one an output.
        n_scores = None if callable(self.loss) else n_outputs
        return FunctionModel(forward, shapes, self.penalized, features, n_scores), arrays

    def _functions(self):
        """The function, where it starts and its features: the linear model if none is given."""
        if self.forward is None:
            init = linear_shapes if self.init is None else self.init
            return linear, init, linear_features if self.features is None else self.features
        if self.init is None:
            raise ValueError(
                "init must be given with forward: a dict of shapes or arrays by name, or a "
                "function of (rng, n_features, n_outputs) that returns one. Got None."
            )
        return self.forward, self.init, self.features

    def _start(self, X, y, first_pass):
        model, w = super()._start(X, y, first_pass)
        if not first_pass:
            return model, w
        loss, task = loss_of(self)
        model = check_function(model, loss, w, X, self._encode(y, task, X.dtype))
        if isinstance(loss, CustomLoss):
            self._fitted_loss = loss.of_scores(model.n_scores)
        return model, w

    def _adopt(self, X, y, classes):
        """Become fitted with the arrays of ``init``, without any training."""
        self._validate_params()
        X, y = self._validate_input(X, y, False, True)
        if classes is not None:
            self._label_binarizer = LabelBinarizer().fit(classes)
            self.classes_ = self._label_binarizer.classes_
        self._random_state = check_random_state(self.random_state)
        model, w = self._start(X, y, True)
        vars(self).update(self._attributes(model, w))
        # As after a training that has cost nothing yet, and with no limit to what measures cost.
        self._history, self.n_grad_evals_, self._measure_seed = History(), 0.0, 0
        self._cost, self.n_iter_, self._cut_short = np.inf, 0, False
        return self

"""The layer that the last affine map of a user's function reads."""

import numpy as np

from ...objective import HiddenLayer, NotDefinedError

#: Largest deviation from an affine map that is rounding, relative to the change.
ROUNDING = {np.dtype(np.float32): 1e-3, np.dtype(np.float64): 1e-8}
N_ROWS = 32  # on which the array of the last affine map is looked for


class FunctionLayers(HiddenLayer):
    """The inputs, and what ``features`` returns."""

    @classmethod
    def of(cls, objective):
        """None if the user has not named the features."""
        return None if objective.model.features is None else cls(objective)

    def inputs(self, w, X):
        model = self.objective.model
        a = np.asarray(model.features(model.layout.views(w), X), dtype=w.dtype)
        if a.ndim != 2 or len(a) != X.shape[0]:
            raise NotDefinedError(
                f"features must return an array of shape (n_rows, n_units), here ({X.shape[0]}, "
                f"n_units); got one of shape {a.shape}."
            )
        # Without a hidden layer the features are the inputs themselves.
        return [X] if a is X else [X, a]

    def head(self, w):
        """The array that the scores depend on as on the weights of an affine map of the features.

        It is found by trial: a change of it changes the scores by its product with the features.
        """
        objective, model = self.objective, self.objective.model
        X = objective.data.X[:N_ROWS]
        a, F = self.inputs(w, X)[-1], model.scores(w, X)
        rng = np.random.default_rng(0)
        for name, shape in model.layout.shapes.items():
            for turn in _readings_of(shape, (a.shape[1], F.shape[1])):
                change = rng.normal(size=shape).astype(w.dtype)
                moved = w.copy()
                model.layout.views(moved)[name][...] += change
                expected, found = a @ turn(change), model.scores(moved, X) - F
                tolerance = ROUNDING[w.dtype] * max(np.abs(found).max(), np.abs(F).max())
                if np.abs(found - expected).max() <= tolerance:
                    return turn(model.layout.views(w)[name])
        raise NotDefinedError(
            f"features must be what the last affine map reads. They have {a.shape[1]} units, and "
            f"no array in params multiplies them to give the {F.shape[1]} scores of forward. The "
            f"arrays have the shapes {model.layout.shapes}."
        )


def _readings_of(shape, wanted):
    """How an array of that shape may be a matrix of the shape wanted: itself, turned, a vector."""
    if shape == wanted:
        yield lambda array: array
    if shape == wanted[::-1]:
        yield lambda array: array.T
    if len(shape) == 1 and (shape[0], 1) == wanted:
        yield lambda array: array[:, None]

"""Copies of fitted estimators at other parameters."""

from ..problems import moved


def with_parameters(estimator, w):
    """A copy of the estimator at the flat vector ``w``."""

    def change(model, old):
        if len(old) != len(w):
            raise ValueError(
                f"X names rows or columns that the fit has not seen: {len(old)} parameters were "
                f"fitted, and X needs {len(w)}."
            )
        return w

    return moved(estimator, change)


def innermost(estimator):
    """The last step of nested pipelines."""
    while hasattr(estimator, "steps"):
        estimator = estimator[-1]
    return estimator

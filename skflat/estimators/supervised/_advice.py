"""What to try if a network has learnt nothing: scale the data, or change its parameters."""

import numpy as np
from scipy import sparse

from ...objective import LARGE, SMALL, RegressionLoss, feature_sizes, target_deviations

APART = 100  # a feature this many times as large as another hides it
STRONG = 0.01  # an ``alpha`` above this, divided by the number of rows, may be too large


def advice(estimator, objective, F, rows, task):
    """What to try, as a part of a sentence.

    ``F`` holds the raw predictions of the network for some of the training rows.
    """
    loss = objective.loss_function
    scaling = _scale_features(rows)
    if isinstance(loss, RegressionLoss):
        scaling += _scale_target(loss, rows)
    if scaling:
        return " and ".join(scaling)
    if task.has_classes and estimator.class_weight is None and _gives_one_class(F, rows, loss):
        return (
            "try class_weight='balanced': all rows are given the same class, although their odds "
            "are better than a constant's"
        )
    return f"try {' or '.join(_numbers(estimator, objective.data.total_weight))}"


def _scale_features(rows):
    sizes = feature_sizes(rows)
    sizes = sizes[sizes > 0]
    if not len(sizes) or (SMALL <= sizes.max() <= LARGE and sizes.min() * APART >= sizes.max()):
        return []
    scaler = "MaxAbsScaler" if sparse.issparse(rows.X) else "StandardScaler"
    return [
        f"scale the features, say by a {scaler} in a Pipeline (root mean squares {_from_to(sizes)})"
    ]


def _scale_target(loss, rows):
    deviations = target_deviations(rows)
    means = np.average(rows.y, axis=0, weights=rows.weight)[deviations > 0]
    deviations = deviations[deviations > 0]
    far = np.abs(loss.link(means)) > LARGE
    if loss.in_units_of_target:
        far |= (deviations < SMALL) | (deviations > LARGE)
    if not far.any():
        return []
    return [
        "scale the target, say by a TransformedTargetRegressor (mean "
        f"{_from_to(means)}, standard deviation {_from_to(deviations)})"
    ]


def _from_to(values):
    least, most = (f"{end:.3g}" for end in (values.min(), values.max()))
    return least if least == most else f"{least} to {most}"


def _gives_one_class(F, rows, loss):
    """Whether the loss is below the baseline loss although all rows are given one class."""
    decided = F.argmax(axis=1) if rows.y.ndim == 1 else F > 0
    known = rows.mean(loss.per_sample(F.astype(float), rows.y)) < loss.constant_loss(rows)
    return known and not np.any(decided != decided[0])


def _numbers(estimator, total_weight):
    """Which numerical parameters of the estimator to change."""
    solver, suspects = estimator._solver(), []
    if estimator.n_iter_ >= estimator.max_iter:
        suspects.append(f"a larger max_iter than {estimator.max_iter}")
    if solver.stochastic:
        suspects.append(f"another learning_rate_init than {estimator.learning_rate_init}")
    if estimator.alpha > STRONG * total_weight:
        suspects.append(f"a smaller alpha than {estimator.alpha}")
    if solver.default_rho is not None and estimator.rho_ > 0:
        suspects.append(f"a smaller rho than {estimator.rho_:.3g}")
    return suspects or ["another random_state"]

"""What to try where a network learnt nothing: by the scale of the data, or else by its numbers."""

import numpy as np
from scipy import sparse

from ...objective import LARGE, SMALL, feature_sizes, target_deviations

APART = 100  # times as large, a feature drowns the others
STRONG = 0.01  # of ``alpha``, divided by the rows


def advice(estimator, loss, F, rows, kind):
    """What to try, as half a sentence; ``F`` are the scores that the network ended with."""
    scaling = _scale_features(rows)
    if kind == "regression":
        scaling += _scale_target(loss, rows)
    if scaling:
        return " and ".join(scaling)
    numbers = _numbers(estimator, rows) + _weights(estimator, loss, F, rows, kind)
    return f"try {' or '.join(numbers)}"


def _scale_features(rows):
    sizes = feature_sizes(rows)
    smallest, largest = sizes[sizes > 0].min(initial=np.inf), sizes.max()
    if SMALL <= largest <= LARGE and smallest * APART >= largest:
        return []
    scaler = "MaxAbsScaler" if sparse.issparse(rows.X) else "StandardScaler"
    return [
        f"scale the features, say by a {scaler} in a Pipeline (their root mean squares are "
        f"{min(smallest, largest):.3g} to {largest:.3g})"
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
    k = far.argmax()
    return [
        "scale the target, say by a TransformedTargetRegressor (its mean is "
        f"{means[k]:.3g} and its standard deviation {deviations[k]:.3g})"
    ]


def _numbers(estimator, rows):
    """The numbers of the estimator that may have been the reason."""
    solver, suspects = estimator._solver(), []
    if estimator.n_iter_ >= estimator.max_iter:
        suspects.append(f"a larger max_iter than {estimator.max_iter}")
    if solver.stochastic:
        suspects.append(f"another learning_rate_init than {estimator.learning_rate_init}")
    if estimator.alpha > STRONG * rows.total_weight:
        suspects.append(f"a smaller alpha than {estimator.alpha}")
    if solver.default_rho is not None and estimator.rho_ > 0:
        suspects.append(f"a smaller rho than {estimator.rho_:.3g}")
    return suspects or ["another random_state"]


def _weights(estimator, loss, F, rows, kind):
    """Weights for rare classes that the network knows something of, though it never names them."""
    if kind == "regression" or estimator.class_weight is not None:
        return []
    decided = F.argmax(axis=1) if kind == "multiclass" else F > 0
    better = rows.mean(loss.per_sample(F.astype(float), rows.y)) < loss.constant_loss(rows)
    if not better or np.any(decided != decided[0]):
        return []
    return ["class_weight='balanced' (all rows are given the same class, by better odds)"]

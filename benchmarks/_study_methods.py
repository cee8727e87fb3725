"""The methods of the study of what pays, each with eight trials of its own knobs."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.solvers import (
    EMA,
    MSAM,
    SAM,
    FriendlySAM,
    FunctionalSAM,
    OneSidedNoise,
    TracePenalty,
)

BUDGET, HIDDEN, BATCH = 60, 128, 128
#: Penalties: the square of a weight counts ``alpha / (2 n)``, so many rows need large ones.
ALPHAS = (1e-4, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
MORE_ALPHAS, FEW_ALPHAS = (1e-4, 1.0, 10.0, 30.0), (1e-4, 10.0)
RATE = 0.002


@dataclass(frozen=True)
class Method:
    """What is trained, eight times.

    Attributes
    ----------
    trials : list of dict
        Parameters of the network, one dict a trial.
    gradients : float
        What a pass over the rows costs, in gradients: passes are as many as the budget pays for.
    group : {'baseline', 'flat', 'joint', 'yardstick'}
    """

    trials: list
    gradients: float
    group: str
    fixed: dict = field(default_factory=dict)


def _over(name, values, **fixed):
    return [{name: value, **fixed} for value in values]


def _joint(*rhos):
    """Half of the trials tune the penalty alone, as plain training does, half both."""
    plain = [{"rho": 0.0, "alpha": alpha} for alpha in MORE_ALPHAS]
    return plain + [{"rho": rho, "alpha": alpha} for rho in rhos for alpha in FEW_ALPHAS]


def _logarithmic(low, high, n=8):
    return [float(f"{value:.2g}") for value in np.geomspace(low, high, n)]


SAM_RHOS = _logarithmic(0.02, 3)
TRACE_RHOS = _logarithmic(0.01, 0.5)
NOISE_RHOS = _logarithmic(0.005, 0.3)
TENTH = {"solver": TracePenalty(interval=10)}

METHODS = {
    # Baselines: no flatness is sought, the penalty or another knob is tuned.
    "adam": Method(_over("alpha", ALPHAS), 1, "baseline", {"solver": "adam"}),
    "sgd": Method(
        [
            {"alpha": a, "learning_rate_init": r}
            for a in (1e-4, 1.0, 10.0, 30.0)
            for r in (0.02, 0.1)
        ],
        1,
        "baseline",
        {"solver": "sgd"},
    ),
    "adamw cosine": Method(
        _over("weight_decay", (0.0, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)),
        1,
        "baseline",
        {"solver": "adam", "learning_rate": "cosine", "warmup": 0.05, "alpha": 0.0},
    ),
    "adam, early stopping": Method(
        _over("alpha", ALPHAS), 1, "baseline", {"solver": "adam", "early_stopping": True}
    ),
    "ema": Method(
        [
            {"alpha": a, "solver": EMA(decay=d)}
            for a in (1e-4, 1.0, 10.0, 30.0)
            for d in (0.9, 0.99)
        ],
        1,
        "baseline",
    ),
    "label smoothing": Method(
        [{"label_smoothing": s, "alpha": a} for a in (1e-4, 10.0) for s in (0.05, 0.1, 0.3, 0.6)],
        1,
        "baseline",
        {"solver": "adam"},
    ),
    # Flat solvers, their radius tuned.
    "sam": Method(_over("rho", SAM_RHOS), 2, "flat", {"solver": "sam"}),
    "sam, last quarter": Method(_over("rho", SAM_RHOS), 1.25, "flat", {"solver": SAM(start=0.75)}),
    "trace": Method(_over("rho", TRACE_RHOS), 2, "flat", {"solver": "trace"}),
    "trace, every 10th": Method(_over("rho", TRACE_RHOS), 1.1, "flat", TENTH),
    "one-sided noise": Method(_over("rho", NOISE_RHOS), 1, "flat", {"solver": OneSidedNoise()}),
    "msam": Method(_over("rho", SAM_RHOS), 1, "flat", {"solver": MSAM()}),
    "friendly sam": Method(_over("rho", SAM_RHOS), 2, "flat", {"solver": FriendlySAM()}),
    "functional sam": Method(_over("rho", SAM_RHOS), 2, "flat", {"solver": FunctionalSAM()}),
    # Both: radius and penalty, in as many trials.
    "sam + alpha": Method(_joint(0.3, 1.5), 2, "joint", {"solver": "sam"}),
    "trace, every 10th + alpha": Method(_joint(0.05, 0.2), 1.1, "joint", TENTH),
    "one-sided noise + alpha": Method(_joint(0.03, 0.1), 1, "joint", {"solver": OneSidedNoise()}),
    "msam + alpha": Method(_joint(0.3, 1.5), 1, "joint", {"solver": MSAM()}),
    # No network at all.
    "gradient boosting": Method(
        [{"max_iter": n, "learning_rate": r} for n in (50, 200) for r in (0.02, 0.05, 0.1, 0.2)],
        0,
        "yardstick",
    ),
}


def estimator(name, trial, is_regression, validation, seed):
    """What a trial fits."""
    method = METHODS[name]
    if method.group == "yardstick":
        kind = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
        return kind(early_stopping=False, random_state=seed, **trial), {}
    # At radius 0 the base solver runs, whose passes cost one gradient.
    passes = int(BUDGET // (1 if trial.get("rho") == 0 else method.gradients))
    plain = {
        "hidden_layer_sizes": (HIDDEN,),
        "batch_size": BATCH,
        "learning_rate_init": RATE,
        "max_iter": passes,
        "tol": 0.0,
        "n_iter_no_change": np.inf,
        "measures": None,
        "random_state": seed,
    }
    settings = plain | method.fixed | trial
    data = {}
    if settings.get("early_stopping"):
        settings["n_iter_no_change"], data = 10, {"validation_data": validation}
    kind = FlatMLPRegressor if is_regression else FlatMLPClassifier
    return kind(**settings), data


def applies(name, is_regression, seed):
    """Whether the method exists for this target; of the yardstick one seed is enough."""
    if METHODS[name].group == "yardstick" and seed > 0:
        return False
    return not (is_regression and name == "label smoothing")

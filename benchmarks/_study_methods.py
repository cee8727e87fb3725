"""The methods of the study of what pays, each with eight trials of its own knobs."""

import numpy as np
from _activation_penalty import ActivationPenalty
from _study_search import Method
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.solvers import EMA, MSAM, SAM, FunctionalSAM, OneSidedNoise, TracePenalty

BUDGET, HIDDEN, BATCH, RATE = 60, 128, 128, 0.002


def _over(name, *values):
    return [{name: value} for value in values]


def _logarithmic(low, high, n=8):
    return [float(f"{value:.2g}") for value in np.geomspace(low, high, n)]


def _flat(solver, gradients, low, high):
    """The radius alone."""
    return Method([_over("rho", *_logarithmic(low, high))], gradients, "flat", {"solver": solver})


def _joint(solver, gradients, *rhos):
    """Five trials tune the penalty of plain training, three the radius at the best penalty."""
    plain = [{"rho": 0.0, "alpha": alpha} for alpha in ALPHAS]
    return Method([plain, _over("rho", *rhos)], gradients, "joint", {"solver": solver})


#: Penalties: the square of a weight counts ``alpha / (2 n)``, so many rows need large ones.
ALPHAS = (1e-4, 0.3, 1.0, 3.0, 10.0)
PENALTIES = _over("alpha", *ALPHAS)
MORE_PENALTIES = _over("alpha", 1e-4, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0)
DECAYS = _over("weight_decay", 0.0, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
COSINE = {"solver": "adam", "learning_rate": "cosine", "warmup": 0.05, "alpha": 0.0}

METHODS = {
    # Baselines: no flatness is sought. Their first trial of a second knob is a new value of it.
    "adam": Method([MORE_PENALTIES], 1, "baseline", {"solver": "adam"}),
    "adam, rate too": Method(
        [PENALTIES, _over("learning_rate_init", 5e-4, 5e-3, 1e-2)],
        1,
        "baseline",
        {"solver": "adam"},
    ),
    "adamw cosine": Method([DECAYS], 1, "baseline", COSINE),
    "sgd": Method(
        [
            [{"alpha": alpha, "learning_rate_init": 0.05} for alpha in ALPHAS],
            _over("learning_rate_init", 0.02, 0.1, 0.2),
        ],
        1,
        "baseline",
        {"solver": "sgd"},
    ),
    "ema": Method(
        [
            [{"alpha": alpha, "solver": EMA(decay=0.99)} for alpha in ALPHAS],
            [{"solver": EMA(decay=decay)} for decay in (0.9, 0.97, 0.997)],
        ],
        1,
        "baseline",
    ),
    "adam, early stopping": Method(
        [MORE_PENALTIES], 1, "baseline", {"solver": "adam", "early_stopping": True}
    ),
    "label smoothing": Method(
        [PENALTIES, _over("label_smoothing", 0.1, 0.3, 0.6)], 1, "baseline", {"solver": "adam"}
    ),
    "activations and last layer": Method(
        [
            [{"solver": ActivationPenalty(a, 1e-3)} for a in (3e-4, 1e-3, 3e-3, 1e-2)],
            [{"last": last} for last in (1e-4, 3e-3, 1e-2, 3e-2)],
        ],
        1,
        "baseline",
    ),
    # The radius and the penalty.
    "trace, every 10th + alpha": _joint(TracePenalty(interval=10), 1.1, 0.025, 0.05, 0.1),
    "msam + alpha": _joint(MSAM(), 1, 0.3, 1.0, 2.0),
    "one-sided noise + alpha": _joint(OneSidedNoise(), 1, 0.02, 0.05, 0.1),
    "sam, last quarter + alpha": _joint(SAM(start=0.75), 1.25, 0.1, 0.3, 1.0),
    "sam + alpha": _joint("sam", 2, 0.1, 0.3, 1.0),
    "functional sam + alpha": _joint(FunctionalSAM(), 2, 0.1, 0.3, 1.0),
    # The default solver, which chooses its radius itself, with the knobs of `adam`.
    "auto + alpha": Method([MORE_PENALTIES], 1.1, "joint", {"solver": "auto"}),
    "auto + alpha, rate too": Method(
        [PENALTIES, _over("learning_rate_init", 5e-4, 5e-3, 1e-2)], 1.1, "joint", {"solver": "auto"}
    ),
    # The radius alone.
    "sam": _flat("sam", 2, 0.02, 3),
    "trace, every 10th": _flat(TracePenalty(interval=10), 1.1, 0.01, 0.5),
    "trace": _flat("trace", 2, 0.01, 0.5),
    "msam": _flat(MSAM(), 1, 0.05, 5),
    "one-sided noise": _flat(OneSidedNoise(), 1, 0.005, 0.3),
    "sam, last quarter": _flat(SAM(start=0.75), 1.25, 0.02, 3),
    # No network at all.
    "gradient boosting": Method(
        [[{"max_iter": n, "learning_rate": r} for n in (50, 200) for r in (0.02, 0.05, 0.1, 0.2)]],
        0,
        "yardstick",
    ),
}


def estimator(name, trial, is_regression, validation, seed):
    """What a trial fits, and what else its ``fit`` is given."""
    method = METHODS[name]
    if method.group == "yardstick":
        kind = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
        return kind(early_stopping=False, random_state=seed, **trial), {}
    settings = _common(method, trial, seed) | method.fixed | trial
    if "last" in settings:  # the second knob of a rule, which is no parameter of the network
        rule = settings["solver"]
        settings["solver"] = ActivationPenalty(rule.activations, settings.pop("last"))
    data = {}
    if settings.get("early_stopping"):
        settings["n_iter_no_change"], data = 10, {"validation_data": validation}
    kind = FlatMLPRegressor if is_regression else FlatMLPClassifier
    return kind(**settings), data


def _common(method, trial, seed):
    # At radius 0 the base solver runs, whose passes cost one gradient.
    passes = int(BUDGET // (1 if trial.get("rho") == 0 else method.gradients))
    return {
        "hidden_layer_sizes": (HIDDEN,),
        "batch_size": BATCH,
        "learning_rate_init": RATE,
        "max_iter": passes,
        "tol": 0.0,
        "n_iter_no_change": np.inf,
        "measures": None,
        "random_state": seed,
    }


def applies(name, is_regression, seed):
    """Whether the method exists for this target; of the yardstick one seed is enough."""
    if METHODS[name].group == "yardstick" and seed > 0:
        return False
    return not (is_regression and name == "label smoothing")

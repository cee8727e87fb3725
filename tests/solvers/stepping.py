"""What the tests of solvers share: solvers of every structure, and how to take single steps."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from toys import Watched, quadratic

from skflat import FlatMLPClassifier
from skflat.models.mlp import MLP
from skflat.objective import HalfSquared, Objective, Workspace
from skflat.solvers import (
    ASAM,
    EMA,
    GSAM,
    MSAM,
    NGD,
    RSP,
    SAM,
    SANER,
    SAP,
    SOLVERS,
    SWA,
    Chain,
    Consensus,
    Diffusion,
    EntropySGD,
    FriendlySAM,
    FunctionalSAM,
    LabelNoise,
    Noise,
    ReplicatedSGD,
    Settings,
    TracePenalty,
)

X, Y = make_classification(
    n_samples=60, n_features=5, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)
STRUCTURES = [
    SAM("sgd"),
    SAM(m=5),
    SAM(interval=3),
    SAM(adaptive=True, normalize=False),
    SAM(start=0.5, ascent_steps=2),
    SAM(radius="graph"),
    ASAM(radius="rise", rise=0.02, m=5),
    SAM("sgd", m=4, interval=2, ascent_steps=2),
    ASAM("sgd", m=5),
    GSAM("sgd", gap=0.5),
    MSAM("sgd"),
    FriendlySAM("sgd", decay=0.5),
    SANER("sgd", reduction=1.0),
    FunctionalSAM("sgd"),
    NGD(power=0.0),
    Noise("sgd", noise="block", two_point=False),
    Noise(noise="weight", n_draws=2, weight=0.5),
    Noise(noise="sphere"),
    RSP(n_directions=2, antithetic=True),
    RSP("adam", tolerance=5.0, final_plain=0.5),
    SAP("adam", sample_size=4),
    SAP(sample_size=2, tolerance=5.0, final_plain=0.5),
    SAP(centered=False),
    EntropySGD("adam", n_inner=3, averaging=0.5),
    EntropySGD(n_inner=5, inner_momentum=0.0, noise=0.0, scoping=0.01),
    ReplicatedSGD(2, growth=10.0),
    Diffusion(4, graph="complete"),
    Consensus(2, graph=[[0.7, 0.3], [0.3, 0.7]]),
    TracePenalty("sgd"),
    TracePenalty(interval=3),
    TracePenalty("sgd", interval=2, average=0.5),
    LabelNoise("adam"),
    SWA("adam", start=0.3, rate="cyclic", cycle=2),
    SWA(start=0.0),
    EMA("sgd", decay=0.5),
    Chain("adam", SAM(m=5), switch=0.3),
    Chain(SAM("sgd"), "swa", switch=0.5, learning_rate_init=0.01),
    Chain("label_noise", "trace", switch=0.5, rho=0.2),
    Chain("ema", TracePenalty(interval=4), switch=0.5),
    Chain("msam", "ema", switch=0.5),
]
EVERY = [solver() for solver in SOLVERS.values()] + STRUCTURES
FLAT = [solver for solver in EVERY if solver.default_rho is not None]
STOCHASTIC = [solver for solver in EVERY if solver.stochastic]

each_solver = pytest.mark.parametrize("solver", EVERY, ids=repr)
each_flat_solver = pytest.mark.parametrize("solver", FLAT, ids=repr)
each_stochastic_solver = pytest.mark.parametrize("solver", STOCHASTIC, ids=repr)
each_base = pytest.mark.parametrize("base", ["adam", "sgd"])


def classifier(solver, **params):
    few = {"hidden_layer_sizes": (6,), "batch_size": 16, "max_iter": 6, "measures": None}
    rule = SOLVERS[solver]() if isinstance(solver, str) else solver
    rho = "auto" if rule.default_rho is None else 0.1  # or it warns that nobody reads it
    fast = {"learning_rate_init": 0.02, "random_state": 0, "rho": rho}
    return FlatMLPClassifier(solver=solver, **few | fast | params)


def told(solver):
    """A solver's parameters; solvers among them are cloned too, and equal in what they say."""
    return {name: repr(value) for name, value in solver.get_params().items()}


def weights_of(clf):
    return np.concatenate([np.ravel(array) for array in (*clf.coefs_, *clf.intercepts_)])


def regression(n_rows=12, weighted=False, model=None):
    """A small least squares problem, and a point."""
    rng = np.random.default_rng(0)
    inputs, y = rng.normal(size=(n_rows, 3)), rng.normal(size=(n_rows, 1))
    weight = rng.uniform(0.1, 2, size=n_rows) if weighted else None
    objective = Objective(model or MLP([3, 1]), HalfSquared(), inputs, y, weight)
    return objective, rng.normal(size=objective.model.layout.size)


def running(solver, objective, w, **settings):
    """The state of a rule while the loop runs."""
    state = solver.init_state(objective, w, Settings(**settings), np.random.default_rng(0))
    state.work = Workspace()
    return state


def direction(solver, objective, w, rho=0.2, n_turns=1):
    """What a rule follows at ``w``, the last of some turns there."""
    state = running(solver, objective, w, rho=rho)
    for _ in range(n_turns):
        loss, found = solver.direction(objective, w, objective.batch(), state)
    return loss, found.copy()


def rows_by_step(solver, n_steps, n_rows=1):
    """Rows differentiated in every one of some full-batch steps."""
    watched = Watched(quadratic(2.0, 1.0, n_rows=n_rows))
    counts = [0]
    state = running(solver, watched, np.ones(2), rho=0.1)
    for _ in range(n_steps):
        solver.direction(watched, np.ones(2), watched.batch(), state)
        counts.append(watched.rows)
    return np.diff(counts).tolist()

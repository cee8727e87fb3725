"""Solvers: a contract for the whole registry, then closed forms for every rule."""

import pickle
import sys
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from toys import Bilinear, Toy, Watched, descend, hyperbola, quadratic

from skflat import FlatMLPClassifier
from skflat.models.mlp import MLP
from skflat.models.mlp._trace_gradient import trace_gradient as by_hand_trace_gradient
from skflat.models.mlp._units import units_gradient
from skflat.objective import Batch, HalfSquared, Multinomial, Objective, Workspace
from skflat.solvers import (
    ASAM,
    EMA,
    GSAM,
    LBFGS,
    MSAM,
    NGD,
    RSP,
    SAM,
    SANER,
    SAP,
    SGD,
    SOLVERS,
    SWA,
    Adam,
    Chain,
    Consensus,
    Diffusion,
    EntropySGD,
    FriendlySAM,
    FunctionalSAM,
    LabelNoise,
    Noise,
    ReplicatedSGD,
    Run,
    Settings,
    TracePenalty,
    minimize,
    spawn_generator,
)

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

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


def named(solver):
    """The classes of a solver and of the stages it is made of."""
    stages = [getattr(solver, name, None) for name in ("first", "second")]
    classes = [SOLVERS.get(stage, type(stage)) for stage in stages if stage is not None]
    return {cls.__name__ for cls in [type(solver), *classes]}


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


# The contract


@each_solver
def test_the_seed_decides(solver):
    first, again = (classifier(solver).fit(X, Y) for _ in range(2))
    assert_array_equal(weights_of(first), weights_of(again))
    other = classifier(solver, random_state=1).fit(X, Y)
    assert np.abs(weights_of(first) - weights_of(other)).max() > 1e-3


@each_solver
def test_training_lowers_the_loss(solver):
    clf = classifier(solver, max_iter=30).fit(X, Y)
    assert clf.loss_curve_[-1] < 0.9 * clf.loss_curve_[0]


@each_flat_solver
def test_radius_0_is_the_base_solver_to_the_bit(solver):
    base = solver.delegate()
    assert base.default_rho is None
    flat, plain = (classifier(s, rho=0).fit(X, Y) for s in (solver, base))
    assert_array_equal(weights_of(flat), weights_of(plain))
    assert flat.loss_curve_ == plain.loss_curve_
    assert flat.n_grad_evals_ == plain.n_grad_evals_


@each_flat_solver
def test_the_radius_matters(solver):
    flat, plain = (classifier(solver, rho=rho).fit(X, Y) for rho in (0.1, 0))
    assert np.abs(weights_of(flat) - weights_of(plain)).max() > 1e-4


@each_flat_solver
def test_auto_is_the_default_radius(solver):
    auto, given = (classifier(solver, rho=rho).fit(X, Y) for rho in ("auto", solver.default_rho))
    assert_array_equal(weights_of(auto), weights_of(given))


def test_the_default_radii_are_the_published_ones():
    assert (SAM.default_rho, ASAM.default_rho) == (0.05, 0.5)


@each_flat_solver
def test_without_an_estimator_radius_0_hands_over_too(solver):
    objective, w = regression()
    ends, runs = zip(
        *(
            minimize(s, objective, w, Settings(rho=0, batch_size=5), max_epochs=4)
            for s in (solver, solver.delegate())
        ),
        strict=True,
    )
    assert_array_equal(*ends)
    assert [run.work.rows for run in runs] == [4 * 12, 4 * 12]


# These draw further batches, over which they average: their limits are in test_replicas.py.
@pytest.mark.parametrize(
    "solver", [s for s in FLAT if not isinstance(s, (EntropySGD, ReplicatedSGD))], ids=repr
)
def test_the_rule_itself_tends_to_the_base_as_the_radius_shrinks(solver):
    """At least in proportion to the radius, and not by handing over."""
    solver = clone(solver)
    if "reuse" in solver.get_params():  # what is reused keeps its size however small the radius
        solver.set_params(reuse=0.0)
    if "reduction" in solver.get_params():  # and so does what is reduced
        solver.set_params(reduction=0.0)
    objective, w = regression(model=MLP([3, 4, 1], "tanh"))
    # A row's gradient has no part orthogonal to the batch's only if it is the batch: SAP's limit
    # is not its base but stochastic descent on the sampled row, projected.
    batch_size = 1 if isinstance(solver, SAP) and not solver.centered else 6
    settings = {"max_iter": 20, "momentum": 0.5 if isinstance(solver, MSAM) else 0.0}
    base, near, far = (
        descend(solver, objective, w, 20, rho=rho, batch_size=batch_size, **settings)
        for rho in (0, 1e-5, 1e-4)
    )
    near, far = (np.abs(end - base).max() for end in (near, far))
    assert 0 < near < 1e-3
    assert far / near > 9.5


@each_solver
def test_a_fit_leaves_the_solver_alone(solver):
    before, bytes_before = solver.get_params(), pickle.dumps(solver)
    clf = classifier(solver).fit(X, Y)
    assert clf.solver is solver
    assert solver.get_params() == before
    assert pickle.dumps(solver) == bytes_before


@each_solver
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_input_is_kept(solver, dtype):
    clf = classifier(solver).fit(X.astype(dtype), Y)
    assert weights_of(clf).dtype == dtype
    assert clf.predict_proba(X.astype(dtype)).dtype == dtype


@each_solver
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_objective_is_minimised_in_its_own_dtype(solver, dtype):
    w = np.array([1, -1], dtype=dtype)
    end, _ = minimize(solver, quadratic(4.0, 1.0), w, Settings(rho=0.1, learning_rate_init=0.05))
    assert end.dtype == dtype
    assert_array_equal(w, [1, -1])
    assert quadratic(4.0, 1.0).loss(end) < 0.1


@each_solver
def test_a_new_model_is_minimised(solver):
    objective, w = regression(model=Bilinear(3, 1))
    if named(solver) & {"TracePenalty", "PatternEntropy"}:
        pytest.skip("needs what a new model has to know; see test_stages.py and test_entropy.py")
    end, _ = minimize(solver, objective, w, Settings(rho=0.02, learning_rate_init=0.01))
    assert objective.loss(end) < 0.8 * objective.loss(w)


@each_solver
def test_a_loss_for_every_epoch(solver):
    clf = classifier(solver).fit(X, Y)
    assert len(clf.loss_curve_) == clf.n_iter_ == 6
    assert clf.loss_ == clf.loss_curve_[-1]


@each_solver
def test_the_gradients_counted_are_the_gradients_taken(solver, monkeypatch):
    rows = []

    def counting(by_hand):
        def counted(model, loss, w, batch, *args):
            rows.append(len(batch))
            return by_hand(model, loss, w, batch, *args)

        return counted

    monkeypatch.setattr(MLP, "loss_gradient", counting(MLP.loss_gradient))
    # That of the trace counts as 1 with one hidden layer.
    place = "skflat.models.mlp._capabilities.trace_gradient"
    monkeypatch.setattr(place, counting(by_hand_trace_gradient))
    monkeypatch.setattr("skflat.models.mlp._capabilities.units_gradient", counting(units_gradient))
    clf = classifier(solver).fit(X, Y)
    assert clf.n_grad_evals_ == sum(rows) / len(X)
    assert clf.n_grad_evals_ >= clf.n_iter_


@each_solver
def test_the_rows_counted_are_the_rows_differentiated(solver):
    objective, w = regression(model=MLP([3, 2, 1]))
    watched = Watched(objective)
    settings = Settings(rho=0.1, batch_size=5)
    _, run = minimize(solver, watched, w, settings, max_epochs=4 if solver.stochastic else None)
    assert run.work.rows == watched.rows > 0


@each_solver
def test_clones_and_pickles(solver):
    copy = clone(solver)
    assert copy is not solver
    assert told(copy) == told(solver)
    clf = classifier(solver).fit(X, Y)
    again = pickle.loads(pickle.dumps(clf))
    assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    assert told(clone(clf).solver) == told(solver)


@each_stochastic_solver
def test_training_goes_on_after_pickling_as_if_nothing_had_happened(solver):
    kept = classifier(solver)
    for _ in range(3):
        kept.partial_fit(X, Y, classes=[0, 1, 2])
    pickled = classifier(solver)
    for _ in range(3):
        pickled = pickle.loads(pickle.dumps(pickled.partial_fit(X, Y, classes=[0, 1, 2])))
    assert_array_equal(weights_of(kept), weights_of(pickled))


@each_solver
@pytest.mark.parametrize("w", [(0.0, 0.0), (0.0, 1.0)])
def test_nothing_moves_where_all_gradients_are_0(solver, w):
    still = Toy(lambda w: 3.0, np.zeros_like, lambda w: np.zeros((2, 2)), n_rows=12)
    settings = Settings(rho=0.1, batch_size=6)
    if isinstance(solver, EntropySGD):  # its Langevin noise needs no gradient
        solver = clone(solver).set_params(noise=0.0)
    end, run = minimize(solver, still, np.array(w), settings, max_epochs=3)
    assert_array_equal(end, w)
    assert not run.diverged


@each_solver
def test_nothing_moves_from_a_minimum(solver):
    """And nothing is read from scratch memory there."""
    bowl = Toy(lambda w: (w - 3) @ (w - 3) / 2, lambda w: w - 3, lambda w: np.eye(2), n_rows=12)
    settings = Settings(rho=0.1, batch_size=6)
    if isinstance(solver, EntropySGD):
        solver = clone(solver).set_params(noise=0.0)
    end, _ = minimize(solver, bowl, np.full(2, 3.0), settings, max_epochs=3)
    # These look around wherever they are, minima included: that is how they leave sharp ones.
    around = 0.1 if isinstance(solver, (Noise, RSP, SAP)) else 0
    assert_allclose(end, 3, rtol=0, atol=around)


@each_solver
def test_parameters_that_are_0_do_not_hold_it_back(solver):
    bowl = Toy(lambda w: (w - 3) @ (w - 3) / 2, lambda w: w - 3, lambda w: np.eye(2), n_rows=12)
    settings = Settings(rho=0.1, batch_size=6, learning_rate_init=0.1)
    end, _ = minimize(solver, bowl, np.zeros(2), settings, max_epochs=50)
    assert bowl.loss(end) < 1


@each_stochastic_solver
def test_every_solver_sees_the_same_batches(solver):
    seen = []

    class Seen(Watched):
        def batch(self, rows=None, work=None):
            # Some rules draw further batches of their own; these are the loop's.
            if rows is not None and sys._getframe(1).f_code.co_name == "_epoch":
                seen.append(rows.copy())
            return self.objective.batch(rows, work)

    objective, w = regression(model=MLP([3, 2, 1]))
    run = {"random_state": 3, "max_epochs": 2, "settings": Settings(rho=0.1, batch_size=5)}
    minimize(solver, Seen(objective), w, **run)
    by_solver = np.concatenate(seen)
    seen.clear()
    minimize(SGD(), Seen(objective), w, **run)
    assert_array_equal(by_solver, np.concatenate(seen))
    assert sorted(by_solver[:12]) == list(range(12))


@each_stochastic_solver
def test_steps_and_epochs_are_counted(solver):
    objective, w = regression(model=MLP([3, 2, 1]))
    settings, random_state = Settings(rho=0.1, batch_size=5), np.random.RandomState(0)
    state = solver.init_state(objective, w, settings, np.random.default_rng(0))
    for epochs in (2, 4):
        solver.solve(w, state, Run(objective, settings, random_state, max_epochs=2))
        assert (state.epoch, state.step) == (epochs, 3 * epochs)
        assert state.work is None


def test_a_generator_is_spawned_without_drawing():
    random_state = np.random.RandomState(0)
    first, again = (spawn_generator(random_state).integers(2**32) for _ in range(2))
    assert first == again
    assert random_state.randint(2**31) == np.random.RandomState(0).randint(2**31)


# The base solvers

SLOPE = np.array([4.0, 1.0])
START = np.array([1.0, -2.0])


def steps_on_the_quadratic(solver, n_steps, **settings):
    return descend(solver, quadratic(*SLOPE), START, n_steps, **settings)


def test_sgd_is_gradient_descent():
    w = START * (1 - 0.1 * SLOPE) ** 3
    assert_allclose(steps_on_the_quadratic(SGD(), 3, learning_rate_init=0.1), w, rtol=1e-14)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_has_momentum(nesterov):
    w, v = START.copy(), np.zeros(2)
    for _ in range(5):
        v = 0.9 * v - 0.1 * SLOPE * w
        w = w + (0.9 * v - 0.1 * SLOPE * w if nesterov else v)
    settings = {"learning_rate_init": 0.1, "momentum": 0.9, "nesterovs_momentum": nesterov}
    assert_allclose(steps_on_the_quadratic(SGD(), 5, **settings), w, rtol=1e-13)


def test_sgd_lowers_its_rate_by_the_rows_seen():
    w = START.copy()
    for epoch in range(4):
        w = w - 0.1 / (1 if epoch == 0 else (epoch + 1) ** 0.5) * SLOPE * w
    settings = {"learning_rate_init": 0.1, "learning_rate": "invscaling", "power_t": 0.5}
    assert_allclose(steps_on_the_quadratic(SGD(), 4, **settings), w, rtol=1e-14)


def test_sgd_divides_its_rate_by_5_on_a_plateau():
    w, rate = START.copy(), 0.1
    settings = {"learning_rate_init": 0.1, "learning_rate": "adaptive", "tol": 1e9}
    for epoch in range(6):
        w = w - rate * SLOPE * w
        if epoch in (2, 4):  # epoch 0 improved on infinity, then every two did not
            rate /= 5
    end = steps_on_the_quadratic(SGD(), 6, n_iter_no_change=1, **settings)
    assert_allclose(end, w, rtol=1e-14)


def test_adam_divides_the_mean_of_the_gradient_by_its_size():
    w, mean, square = START.copy(), np.zeros(2), np.zeros(2)
    for t in range(1, 6):
        g = SLOPE * w
        mean = 0.8 * mean + 0.2 * g
        square = 0.95 * square + 0.05 * g**2
        rate = 0.1 * np.sqrt(1 - 0.95**t) / (1 - 0.8**t)
        w = w - rate * mean / (np.sqrt(square) + 1e-3)
    numbers = {"learning_rate_init": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
    assert_allclose(steps_on_the_quadratic(Adam(), 5, **numbers), w, rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
def test_lbfgs_finds_the_minimum_of_a_convex_problem(weighted):
    """Logistic regression, against scikit-learn's own."""
    inputs, y = load_iris(return_X_y=True)
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    weight = np.random.default_rng(0).uniform(0.5, 1.5, size=len(y)) if weighted else None
    alpha = 0.7
    objective = Objective(MLP([4, 3]), Multinomial(), inputs, y, weight, alpha)
    settings = Settings(tol=1e-9, max_iter=1000)
    w, run = minimize(LBFGS(), objective, np.zeros(15), settings)
    rival = LogisticRegression(C=1 / alpha, tol=1e-10, max_iter=10_000)
    rival.fit(inputs, y, sample_weight=weight)
    theirs = objective.model.join([rival.coef_.T], [rival.intercept_])
    assert objective.loss(w) == pytest.approx(objective.loss(theirs), rel=1e-8)
    assert objective.unpenalized().loss(theirs) == pytest.approx(
        log_loss(y, rival.predict_proba(inputs), sample_weight=weight), rel=1e-12
    )
    assert not run.diverged
    assert run.n_iter == len(run.history.loss_curve)


# Sharpness-aware minimisation: where it ends


def traces(solver, start, checkpoints, **settings):
    """Trace of the Hessian of ``(x y - 1)^2`` on the hyperbola, after some steps each."""
    ends = [descend(solver, hyperbola(), start, n, **settings) for n in checkpoints]
    return [2 * float(w @ w) for w in ends]


def test_sam_ends_in_a_cycle_along_the_largest_curvature():
    """Of radius ``rate rho lam / (2 - rate lam)``."""
    w = descend(SAM("sgd"), quadratic(4.0, 1.0), (1, 1), 2000, learning_rate_init=0.1, rho=0.2)
    assert np.linalg.norm(w) == pytest.approx(0.1 * 0.2 * 4 / (2 - 0.1 * 4), abs=1e-6)
    assert np.linalg.norm(w) == pytest.approx(0.05, abs=1e-6)
    assert abs(w[1]) < 1e-12
    after = descend(SAM("sgd"), quadratic(4.0, 1.0), w, 1, learning_rate_init=0.1, rho=0.2)
    assert_allclose(after, -w, atol=1e-6)


@pytest.mark.parametrize(
    ("rho", "expected"), [(0.1, (27.44, 10.31, 4.044)), (0.3, (11.19, 3.898, 3.9966))]
)
def test_sam_flattens_along_the_hyperbola(rho, expected):
    found = traces(SAM("sgd"), (4, 0.3), (100, 1000, 5000), rho=rho)
    digits = [len(str(number).split(".")[1]) for number in expected]
    assert tuple(np.round(t, d) for t, d in zip(found, digits, strict=True)) == expected


def test_sam_late_in_training_reaches_what_sam_reaches():
    start = descend(SGD(), hyperbola(), (4, 0.3), 5000)
    assert 2 * start @ start == pytest.approx(32.0681, abs=5e-5)
    found = traces(SAM("sgd"), start + 1e-3, (100, 300, 500, 1000), rho=0.3)
    assert [round(t, 2) for t in found[:2]] == [11.2, 4.52]
    assert [round(t, 3) for t in found[2:]] == [4.012, 3.898]
    cycling = descend(SAM("sgd"), hyperbola(), start + 1e-3, 1000, rho=0.3)
    assert hyperbola().loss(cycling) == pytest.approx(6.5e-4, abs=5e-6)
    assert traces(SGD(), cycling, [5000]) == [pytest.approx(4.0000129, abs=5e-8)]


@pytest.mark.parametrize("solver", [SAM("sgd"), SAM(), ASAM("sgd")], ids=repr)
@pytest.mark.parametrize("w", [(1, 1), (2, 0.5), (4, 0.25)])
def test_sam_does_not_leave_a_minimum_it_starts_on(solver, w):
    assert_array_equal(descend(solver, hyperbola(), w, 10, rho=0.3), w)


def test_unnormalised_sam_ceases_to_flatten():
    solver = SAM("sgd", normalize=False)
    early, late = traces(solver, (4, 0.3), (100, 5000), rho=0.01)
    assert round(early, 2) == 32.06
    assert late == early
    normalised = traces(SAM("sgd"), (4, 0.3), (5000,), rho=0.01)[0]
    assert normalised < 31


def test_unnormalised_sam_converges_on_a_quadratic():
    """By the factor ``1 - rate lam (1 + rho lam)``, here 0.44 and 0.89, a step."""
    solver = SAM("sgd", normalize=False)
    w = descend(solver, quadratic(4.0, 1.0), (1, 1), 10, learning_rate_init=0.1, rho=0.1)
    assert_allclose(w, [0.44**10, 0.89**10], rtol=1e-12)


# Sharpness-aware minimisation: the climb


def test_sam_climbs_along_the_gradient():
    objective, w = regression()
    watched = Watched(objective)
    loss, found = direction(SAM(), watched, w, rho=0.2)
    g = objective.loss_gradient(w)[1]
    top = w + 0.2 * g / np.linalg.norm(g)
    assert loss == objective.loss_gradient(w)[0]
    assert_allclose(watched.climbed_to, [w, top], rtol=1e-14)
    assert_allclose(found, objective.loss_gradient(top)[1], rtol=1e-13)


def test_unnormalised_sam_climbs_by_the_gradient():
    objective, w = regression()
    watched = Watched(objective)
    direction(SAM(normalize=False), watched, w, rho=0.2)
    top = w + 0.2 * objective.loss_gradient(w)[1]
    assert_allclose(watched.climbed_to[1], top, rtol=1e-14)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("radius", ["constant", "graph", "rise"])
def test_the_length_of_the_climb_by_the_size_of_the_gradient(radius, scale):
    bowl, w = quadratic(4.0 * scale, scale), np.array([1.0, -2.0])
    watched = Watched(bowl)
    direction(SAM(radius=radius, rise=0.3), watched, w, rho=0.2)
    g = bowl.loss_gradient(w)[1]
    size, climbed = np.linalg.norm(g), watched.climbed_to[1] - w
    length = {"constant": 0.2, "graph": 0.2 / np.hypot(1, size), "rise": min(0.3 / size, 0.2)}
    assert_allclose(climbed, length[radius] * g / size, rtol=1e-10)


def test_a_way_on_the_graph_of_the_loss_is_of_the_radius():
    """And a climb by the rise raises a linear loss by that."""
    slope = np.array([3.0, -4.0])
    plane = Toy(lambda w: slope @ w, lambda w: slope, lambda w: np.zeros((2, 2)))
    for solver, expected in ((SAM(radius="graph"), 0.2), (SAM(radius="rise", rise=0.05), 0.05)):
        watched = Watched(plane)
        direction(solver, watched, np.ones(2), rho=0.2)
        there = watched.climbed_to[1] - 1
        rise = slope @ there
        way = np.hypot(rise, np.linalg.norm(there))
        assert expected == pytest.approx(way if solver.radius == "graph" else rise, rel=1e-12)


def test_the_steps_of_an_ascent_share_the_radius_by_its_rule():
    objective, w = regression()
    watched = Watched(objective)
    direction(SAM(ascent_steps=2, radius="graph"), watched, w, rho=0.3)
    for foot, top in pairwise(watched.climbed_to):
        size = np.linalg.norm(objective.loss_gradient(foot)[1])
        assert np.linalg.norm(top - foot) == pytest.approx(0.15 / np.hypot(1, size), rel=1e-10)


def test_several_ascent_steps_follow_the_path_up():
    objective, w = regression()
    watched = Watched(objective)
    _, found = direction(SAM(ascent_steps=3), watched, w, rho=0.3)
    path = [w]
    for _ in range(3):
        g = objective.loss_gradient(path[-1])[1]
        path.append(path[-1] + 0.1 * g / np.linalg.norm(g))
    assert_allclose(watched.climbed_to, path, rtol=1e-14)
    assert_allclose(found, objective.loss_gradient(path[-1])[1], rtol=1e-13)


@pytest.mark.parametrize(("ascent_steps", "cost"), [(1, 2), (2, 3), (5, 6)])
def test_an_ascent_step_costs_a_gradient(ascent_steps, cost):
    assert rows_by_step(SAM(ascent_steps=ascent_steps), 3, n_rows=7) == [7 * cost] * 3


def test_adaptive_sam_climbs_by_the_radius_in_the_norm_of_the_parameters():
    objective, w = regression()
    watched = Watched(objective)
    direction(ASAM(), watched, w, rho=0.4)
    g, T = objective.loss_gradient(w)[1], np.abs(w)
    climb = watched.climbed_to[1] - w
    assert_allclose(climb, 0.4 * T**2 * g / np.linalg.norm(T * g), rtol=1e-10)
    assert np.linalg.norm(climb / T) == pytest.approx(0.4, rel=1e-12)


@each_base
def test_asam_is_adaptive_sam(base):
    ends = [
        weights_of(classifier(solver, rho=0.5).fit(X, Y))
        for solver in (ASAM(base), SAM(base, adaptive=True))
    ]
    assert_array_equal(*ends)


@pytest.mark.parametrize("x", [1, 2, 4])
@pytest.mark.parametrize("rho", [0.1, 0.5])
def test_adaptive_sharpness_is_the_same_all_along_the_hyperbola(x, rho):
    """It is ``(sqrt(2) r + r^2 / 2)^2``, so it cannot tell these minima apart."""
    watched = Watched(hyperbola())
    direction(ASAM(), watched, np.array([x, (1 + 1e-12) / x]), rho=rho)
    top = hyperbola().loss(watched.climbed_to[1])
    assert top == pytest.approx((2**0.5 * rho + rho**2 / 2) ** 2, abs=1e-9)
    plain = Watched(hyperbola())
    direction(SAM(), plain, np.array([x, (1 + 1e-12) / x]), rho=rho)
    assert (hyperbola().loss(plain.climbed_to[1]) == pytest.approx(top, abs=1e-9)) == (x == 1)


def test_the_adaptive_climb_commutes_with_rescaling_the_layers():
    """Of a relu network, intercepts included; the plain climb does not."""
    objective, w = regression(model=MLP([3, 5, 1], "relu"))
    rescaled = w.copy()
    (W0, W1), (b0, _) = objective.model.split(rescaled)
    for array, factor in ((W0, 3.0), (b0, 3.0), (W1, 1 / 3)):
        array *= factor
    assert_allclose(objective.scores(rescaled), objective.scores(w), rtol=1e-12)
    distance = {}
    for solver in (ASAM, SAM):
        tops = []
        for point in (w, rescaled):
            watched = Watched(objective)
            direction(solver(), watched, point, rho=0.5)
            tops.append(watched.climbed_to[1])
        distance[solver] = np.abs(objective.scores(tops[0]) - objective.scores(tops[1])).max()
    assert np.abs(objective.scores(tops[0]) - objective.scores(w)).max() > 0.1
    assert distance[ASAM] < 1e-12
    assert distance[SAM] > 0.1


# Sharpness-aware minimisation: micro-batches


@each_base
@pytest.mark.parametrize("m", [16, 17, 1000])
def test_micro_batches_of_a_whole_batch_are_sam_to_the_bit(base, m):
    whole, cut = (classifier(SAM(base, m=size)).fit(X, Y) for size in (None, m))
    assert_array_equal(weights_of(whole), weights_of(cut))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("m", [1, 4, 5])
def test_micro_batches_are_averaged(m, weighted):
    """Each climbs by its own gradient; what they find counts by their weight."""
    objective, w = regression(weighted=weighted)
    loss, found = direction(SAM(m=m), objective, w, rho=0.3)
    weights = np.ones(12) if objective.data.weight is None else objective.data.weight
    expected, expected_loss = np.zeros_like(w), 0.0
    for first in range(0, 12, m):
        rows = slice(first, first + m)
        batch = objective.batch(rows)
        value, g = objective.loss_gradient(w, batch)
        top = w + 0.3 * g / np.linalg.norm(g)
        share = weights[rows].sum() / weights.sum()
        expected += share * objective.loss_gradient(top, batch)[1]
        expected_loss += share * value
    assert_allclose(found, expected, rtol=1e-12)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    assert loss == pytest.approx(objective.loss(w), rel=1e-12)
    whole = direction(SAM(), objective, w, rho=0.3)[1]
    assert np.abs(found - whole).max() > 1e-3


def test_micro_batches_cost_no_more_than_the_batch():
    assert rows_by_step(SAM(m=2), 3, n_rows=7) == [14, 14, 14]


def test_a_micro_batch_that_weighs_nothing_is_not_there():
    objective, w = regression(weighted=True)
    objective.data.weight[4:8] = 0
    batch = objective.batch(np.r_[0:4, 8:12])
    there = Objective(objective.model, HalfSquared(), batch.X, batch.y, batch.weight)
    found = direction(SAM(m=4), objective, w)[1]
    assert_allclose(found, direction(SAM(m=4), there, w)[1], rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("solver", [SAM(m=4), Diffusion(3), Consensus(3)], ids=repr)
def test_the_penalty_is_that_of_the_batch_however_it_is_cut(solver, weighted):
    """Nothing else is left where all rows have the loss 0."""
    data, w = regression(weighted=weighted)
    y = data.scores(w)
    objective = Objective(data.model, HalfSquared(), data.data.X, y, data.data.weight, alpha=0.3)
    penalty, end = objective.loss_gradient(w)[1], w.copy()
    state = running(solver, objective, w, rho=1e-12, learning_rate_init=0.01, momentum=0.0)
    if solver.default_rho is None:
        solver.step(objective, end, objective.batch(), state)
    else:
        end -= 0.01 * solver.direction(objective, w, objective.batch(), state)[1]
    assert_allclose((w - end) / 0.01, penalty, atol=1e-10)


@pytest.mark.parametrize("solver", [SAM(), SAM(m=4), SAM(interval=2)], ids=repr)
def test_a_batch_that_weighs_nothing_moves_nothing(solver):
    objective, w = regression(weighted=True)
    objective.data.weight[:] = 0
    for n_turns in (1, 2):
        assert_array_equal(direction(solver, objective, w, n_turns=n_turns)[1], 0)


# Sharpness-aware minimisation: the gap


@pytest.mark.parametrize("gap", [0.0, 0.1, 2.0])
def test_gsam_on_a_quadratic(gap):
    lam, w = np.array([4.0, 1.0, 0.5]), np.array([1.0, -2.0, 0.3])
    plain = lam * w
    top = lam * (w + 0.2 * plain / np.linalg.norm(plain))
    across = plain - (plain @ top) / (top @ top) * top
    loss, found = direction(GSAM(gap=gap), quadratic(*lam), w, rho=0.2)
    assert loss == pytest.approx(0.5 * lam @ w**2, rel=1e-14)
    assert_allclose(found, top - gap * across, rtol=1e-13)


def test_gsam_climbs_at_the_point_and_keeps_the_loss_at_the_top():
    """To first order in the rate, by what it adds to the step of SAM."""
    objective, w = regression()
    with_gap, without = (direction(GSAM(gap=gap), objective, w, rho=0.05)[1] for gap in (0.5, 0))
    assert_array_equal(without, direction(SAM(), objective, w, rho=0.05)[1])
    added, g = with_gap - without, objective.loss_gradient(w)[1]
    assert abs(added @ without) < 1e-13
    assert -added @ g == pytest.approx(added @ added / 0.5, rel=1e-10)


# Sharpness-aware minimisation: along the momentum


@pytest.mark.parametrize("nesterov", [False, True])
def test_msam_on_a_quadratic_with_momentum(nesterov):
    lam, (rate, mu, rho) = np.array([4.0, 1.0]), (0.05, 0.9, 0.2)
    w, v = np.array([1.0, -2.0]), np.zeros(2)
    for _ in range(7):
        size = np.linalg.norm(v)
        g = lam * (w - (rho / size * v if size > 0 else 0))
        v = mu * v + g
        w = w - rate * (g + mu * v if nesterov else v)
    settings = {"learning_rate_init": rate, "momentum": mu, "nesterovs_momentum": nesterov}
    found = descend(MSAM("sgd"), quadratic(*lam), (1, -2), 7, rho=rho, **settings)
    assert_allclose(found, w, rtol=1e-12)


def test_msam_on_a_quadratic_with_adam():
    lam, w, mean, square = np.array([4.0, 1.0]), np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    for t in range(1, 8):
        size = np.linalg.norm(mean)
        g = lam * (w - (0.2 / size * mean if size > 0 else 0))
        mean = 0.9 * mean + 0.1 * g
        square = 0.999 * square + 0.001 * g**2
        root = np.sqrt(square / (1 - 0.999**t)) + 1e-8 / np.sqrt(1 - 0.999**t)
        w = w - 0.05 * mean / (1 - 0.9**t) / root
    found = descend(MSAM(), quadratic(*lam), (1, -2), 7, rho=0.2, learning_rate_init=0.05)
    assert_allclose(found, w, rtol=1e-12)


def test_msam_costs_one_gradient_and_looks_at_the_radius():
    assert rows_by_step(MSAM(), 3, n_rows=7) == [7] * 3
    objective, w = regression()
    watched, batch = Watched(objective), objective.batch()
    state = running(MSAM(), watched, w, rho=0.3)
    for _ in range(3):
        start = w.copy()
        MSAM().step(watched, w, batch, state)
        away = np.linalg.norm(watched.climbed_to[-1] - start)
        assert away == pytest.approx(0.3 if len(watched.climbed_to) > 1 else 0.0, rel=1e-12)


def test_msam_without_momentum_is_plain():
    plain, found = (
        classifier(solver, momentum=0.0, rho=rho).fit(X, Y)
        for solver, rho in ((SGD(), 0), (MSAM("sgd"), 0.5))
    )
    assert_array_equal(weights_of(plain), weights_of(found))


# Sharpness-aware minimisation: along the noise of the batch


def test_friendly_sam_climbs_along_what_the_mean_of_the_batches_leaves():
    objective, w = regression()
    watched, batches = Watched(objective), [objective.batch(slice(k, k + 4)) for k in (0, 4, 8)]
    state, mean = running(FriendlySAM(decay=0.8), watched, w, rho=0.2), None
    for batch in batches:
        loss, found = FriendlySAM(decay=0.8).direction(watched, w, batch, state)
        value, g = objective.loss_gradient(w, batch)
        noise = g if mean is None else g - mean
        mean = g if mean is None else 0.8 * mean + 0.2 * g
        top = w + 0.2 * noise / np.linalg.norm(noise)
        assert loss == value
        assert_allclose(watched.climbed_to[-2:], [w, top], rtol=1e-12)
        assert_allclose(found, objective.loss_gradient(top, batch)[1], rtol=1e-11)
    assert rows_by_step(FriendlySAM(), 1, n_rows=7) == [14]


def test_friendly_sam_is_plain_where_nothing_is_peculiar_to_the_batch():
    """The second time at the same point with the same rows."""
    objective, w = regression()
    first, second = (direction(FriendlySAM(), objective, w, n_turns=n)[1] for n in (1, 2))
    assert_array_equal(first, direction(SAM(), objective, w)[1])
    assert_array_equal(second, objective.loss_gradient(w)[1])


# Sharpness-aware minimisation: what wrong labels ask for


@pytest.mark.parametrize("reduction", [0.0, 0.5, 1.0])
def test_saner_reduces_the_components_that_the_climb_has_made_smaller(reduction):
    objective, w = regression(model=MLP([3, 4, 1], "tanh"))
    g, p = (direction(solver, objective, w, rho=0.7)[1] for solver in (Adam(), SAM()))
    smaller = (p / g > 0) & (p / g < 1)
    assert 0 < smaller.sum() < (p * g > 0).sum() < len(w)
    loss, found = direction(SANER(reduction=reduction), objective, w, rho=0.7)
    assert loss == objective.loss_gradient(w)[0]
    assert_array_equal(found, np.where(smaller, (1 - reduction) * p, p))
    assert rows_by_step(SANER(), 1, n_rows=7) == [14]


def test_saner_on_a_saddle():
    """``p / g = 1 + rho lam / |g|``: only the direction that curves down is reduced."""
    lam, w = np.array([2.0, -1.0]), np.array([1.0, 1.0])
    stretch = 1 + 0.1 * lam / np.linalg.norm(lam * w)
    found = direction(SANER(reduction=0.3), quadratic(*lam), w, rho=0.1)[1]
    assert_allclose(found, lam * w * stretch * [1, 0.7], rtol=1e-13)


# Sharpness-aware minimisation: through the Jacobian alone


def test_functional_sam_on_a_product_of_two():
    """``(a b - 1)^2 / 2``: the slope is ``a b - 1`` at the foot, the Jacobian that at the top."""
    ones = np.ones((1, 1))
    objective, w = Objective(Bilinear(1, 1), HalfSquared(), ones, ones), np.array([2.0, 1.5])
    slope, g = w[0] * w[1] - 1, (w[0] * w[1] - 1) * w[::-1]
    top = w + 0.3 * g / np.linalg.norm(g)
    loss, found = direction(FunctionalSAM(), objective, w, rho=0.3)
    assert loss == pytest.approx(slope**2 / 2, rel=1e-13)
    assert_allclose(found, slope * top[::-1], rtol=1e-12)
    there = objective.loss_gradient(top)[1]
    assert_allclose(direction(SAM(), objective, w, rho=0.3)[1], there, rtol=1e-12)
    assert np.abs(found - there).max() > 0.1


@pytest.mark.parametrize("weighted", [False, True])
def test_functional_sam_is_plain_where_outputs_are_linear(weighted):
    objective, w = regression(weighted=weighted)
    found = direction(FunctionalSAM(), objective, w, rho=0.5)[1]
    assert_allclose(found, objective.loss_gradient(w)[1], rtol=1e-11, atol=1e-14)


def test_functional_sam_costs_two_gradients_and_looks_where_sam_looks():
    objective, w = regression(model=MLP([3, 4, 1], "tanh"))
    places = []
    for solver in (SAM(), FunctionalSAM()):
        watched = Watched(objective)
        direction(solver, watched, w, rho=0.2)
        places.append(watched.climbed_to)
    assert_allclose(*places, rtol=1e-12)
    assert rows_by_step(FunctionalSAM(), 2, n_rows=7) == [14, 14]


# Sharpness-aware minimisation: fewer climbs


@pytest.mark.parametrize("interval", [1, 2, 3, 5])
def test_only_every_so_many_steps_cost_two_gradients(interval):
    pattern = [2] + [1] * (interval - 1)
    assert rows_by_step(SAM(interval=interval), 2 * interval) == 2 * pattern


@pytest.mark.parametrize("interval", [2, 5])
def test_an_interval_really_saves(interval):
    """A step costs 1 + 1/k gradients on average."""
    settings = {"max_iter": 10, "batch_size": 20, "n_iter_no_change": 100}
    clf = classifier(SAM(interval=interval), **settings).fit(X, Y)
    assert clf.n_grad_evals_ == pytest.approx(10 * (1 + 1 / interval))


def test_an_interval_of_1_is_sam_to_the_bit():
    ends = [weights_of(classifier(s).fit(X, Y)) for s in (SAM(), SAM(interval=1, reuse=0.3))]
    assert_array_equal(*ends)


def test_the_part_orthogonal_to_the_gradient_is_kept_and_used_again():
    objective, w = regression()
    g = objective.loss_gradient(w)[1]
    climbed = objective.loss_gradient(w + 0.2 * g / np.linalg.norm(g))[1]
    kept = climbed - (climbed @ g) / (g @ g) * g
    for turn, expected in (
        (1, climbed),
        (2, g + 0.7 * np.linalg.norm(g) / np.linalg.norm(kept) * kept),
        (3, g + 0.7 * np.linalg.norm(g) / np.linalg.norm(kept) * kept),
        (4, climbed),
    ):
        found = direction(SAM(interval=3), objective, w, rho=0.2, n_turns=turn)[1]
        assert_allclose(found, expected, rtol=1e-11)


def test_what_micro_batches_find_is_split_by_the_gradient_of_the_whole_batch():
    objective, w = regression(weighted=True)
    g = objective.loss_gradient(w)[1]
    climbed = direction(SAM(m=5), objective, w)[1]
    kept = climbed - (climbed @ g) / (g @ g) * g
    found = direction(SAM(m=5, interval=2), objective, w, n_turns=2)[1]
    expected = g + 0.7 * np.linalg.norm(g) / np.linalg.norm(kept) * kept
    assert_allclose(found, expected, rtol=1e-11)


def test_reusing_nothing_takes_plain_steps_between():
    objective, w = regression()
    found = direction(SAM(interval=2, reuse=0.0), objective, w, n_turns=2)[1]
    assert_allclose(found, objective.loss_gradient(w)[1], rtol=1e-14)


# Sharpness-aware minimisation: late


@each_base
def test_before_its_start_sam_is_the_base_to_the_bit(base):
    settings = {"max_iter": 8, "learning_rate_init": 0.05}
    late, plain, early = (
        classifier(solver, **settings).fit(X, Y)
        for solver in (SAM(base, start=0.5), SAM(base).delegate(), SAM(base))
    )
    assert late.loss_curve_[:4] == plain.loss_curve_[:4]
    assert late.loss_curve_[4:] != plain.loss_curve_[4:]
    assert late.loss_curve_[:4] != early.loss_curve_[:4]
    assert late.n_grad_evals_ == 4 * 1 + 4 * 2


@each_base
def test_a_start_at_the_end_is_the_base_to_the_bit(base):
    ends = [
        weights_of(classifier(solver).fit(X, Y))
        for solver in (SAM(base, start=1.0), SAM(base).delegate())
    ]
    assert_array_equal(*ends)


def test_an_adaptive_climb_that_has_no_direction_is_a_plain_step():
    """At 0 the adaptive norm lets no parameter move, although the gradient is not 0."""
    objective, w = regression()
    expected = objective.loss_gradient(np.zeros_like(w))[1]
    for solver in (ASAM(), ASAM(m=4), ASAM(ascent_steps=2)):
        found = direction(solver, objective, np.zeros_like(w))[1]
        assert_allclose(found, expected, rtol=1e-12)


# What they refuse


@pytest.mark.parametrize(
    ("solver", "named"),
    [
        (SAM("rmsprop"), "base"),
        (SAM(m=0), "m"),
        (SAM(interval=0), "interval"),
        (SAM(reuse=-1), "reuse"),
        (SAM(radius="short"), "radius"),
        (SAM(rise=0.0), "rise"),
        (SAM(start=1.5), "start"),
        (SAM(ascent_steps=0), "ascent_steps"),
        (ASAM(normalize="yes"), "normalize"),
        (MSAM("lbfgs"), "base"),
        (FriendlySAM(decay=1.0), "decay"),
        (SANER(reduction=1.1), "reduction"),
    ],
)
def test_a_structure_that_makes_no_sense_is_refused(solver, named):
    with pytest.raises(ValueError, match=f"The '{named}' parameter of {type(solver).__name__}"):
        classifier(solver).fit(X, Y)


def test_a_loss_that_overflows_ends_the_run():
    def cliff(w):
        return np.inf if w[0] < 0.5 else float(w[0])

    objective = Toy(cliff, np.ones_like, lambda w: np.zeros((1, 1)))
    settings = Settings(learning_rate_init=0.1, momentum=0.0)
    random_state = np.random.RandomState(0)
    run = Run(objective, settings, random_state)
    state = SGD().init_state(objective, np.ones(1), settings, spawn_generator(random_state))
    SGD().solve(np.ones(1), state, run)
    assert run.diverged
    assert run.n_iter == 6 + 1
    assert len(run.history.loss_curve) == 6


def test_a_batch_is_what_a_toy_makes_of_it():
    """Solvers ask an objective for batches, and never look into them."""

    class Opaque(Toy):
        def batch(self, rows=None, work=None):
            return Batch(np.zeros((4, 1)), None)

        def loss_gradient(self, w, batch=None, out=None, work=None):
            out[:] = w
            return float(w @ w) / 2, out

    objective = Opaque(None, None, None, n_rows=4)
    for solver in (SGD(), Adam(), SAM(), SAM(interval=2), ASAM()):
        assert np.abs(descend(solver, objective, (1, 1), 50, rho=0.01)).max() < 1

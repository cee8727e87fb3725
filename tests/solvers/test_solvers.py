"""The contract of the whole registry of solvers."""

import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from stepping import (
    FLAT,
    X,
    Y,
    classifier,
    each_flat_solver,
    each_solver,
    each_stochastic_solver,
    regression,
    told,
    weights_of,
)
from toys import Bilinear, Toy, Watched, descend, quadratic

from skflat.models.mlp import MLP
from skflat.models.mlp._trace_gradient import trace_gradient as by_hand_trace_gradient
from skflat.models.mlp._units import units_gradient
from skflat.objective import Batch
from skflat.solvers import (
    ASAM,
    MSAM,
    RSP,
    SAM,
    SANER,
    SAP,
    SGD,
    SOLVERS,
    Adam,
    EntropySGD,
    FriendlySAM,
    Noise,
    ReplicatedSGD,
    Run,
    Settings,
    minimize,
    spawn_generator,
)

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

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


# The others need capabilities that a new model lacks: test_trace_penalty.py and test_entropy.py.
OF_ANY_MODEL = [name for name in SOLVERS if name not in {"trace", "entropy"}]


@pytest.mark.parametrize("name", OF_ANY_MODEL)
def test_a_new_model_is_minimised(name):
    objective, w = regression(model=Bilinear(3, 1))
    end, _ = minimize(SOLVERS[name](), objective, w, Settings(rho=0.02, learning_rate_init=0.01))
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

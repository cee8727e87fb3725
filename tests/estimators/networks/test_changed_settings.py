"""A parameter that changes between two calls of ``partial_fit`` takes effect in the second one."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from skflat import FlatMLPClassifier
from skflat.models.mlp import MLP
from skflat.objective import Multinomial, Objective
from skflat.solvers import (
    ASAM,
    EMA,
    GSAM,
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
    Diffusion,
    EntropySGD,
    FriendlySAM,
    LabelNoise,
    Noise,
    ReplicatedSGD,
    TracePenalty,
)

# Solvers take turns here, and some of them do not read rho.
pytestmark = pytest.mark.filterwarnings("ignore:rho=.* has no effect:UserWarning")

X, Y = load_iris(return_X_y=True)
X = scale(X)
STOCHASTIC = [name for name, solver in SOLVERS.items() if solver.stochastic]
FLAT = [name for name in STOCHASTIC if SOLVERS[name]().default_rho is not None]


def classifier(solver="sam", **params):
    small = {"hidden_layer_sizes": (5,), "batch_size": 30, "max_iter": 10, "random_state": 0}
    return FlatMLPClassifier(solver=solver, measures=None, **small | params)


def taught(clf, n_calls=1, **changes):
    """The network after some more epochs, with changed parameters."""
    for _ in range(n_calls):
        clf.set_params(**changes).partial_fit(X, Y, classes=[0, 1, 2])
    return clf


def weights_of(clf):
    return np.concatenate([array.ravel() for array in clf.coefs_ + clf.intercepts_])


def begun_anew(clf):
    """A copy that keeps the weights and forgets the solver's state."""
    twin = copy.deepcopy(clf)
    del twin._solver_state, twin._rule
    return twin


def objective(alpha=0.0):
    """The training objective of `classifier` as its batches of all rows see it."""
    return Objective(MLP([4, 5, 3]), Multinomial(), X, Y, alpha=alpha)


# --- numbers of the estimator ---


@pytest.mark.parametrize("solver", FLAT)
def test_another_radius_counts_from_the_next_call_on(solver):
    radii = (2.0, 0.5) if solver == "replicated_sgd" else (0.1, 0.4)
    given = Chain(switch=0.0) if solver == "chain" else solver
    before = taught(classifier(given, rho=radii[0], learning_rate_init=0.05))
    same, other = (taught(copy.deepcopy(before), rho=rho) for rho in radii)
    assert np.abs(weights_of(same) - weights_of(other)).max() > 1e-6
    assert (same.rho_, other.rho_) == radii


@pytest.mark.parametrize("solver", [SAM, ASAM, GSAM, TracePenalty], ids=lambda s: s.__name__)
def test_the_step_is_that_of_a_new_state_where_the_state_carries_nothing(solver):
    plain = {"momentum": 0.0, "learning_rate_init": 0.1}
    before = taught(classifier(solver("sgd"), rho=0.1, **plain))
    there = taught(begun_anew(before), rho=0.4)
    assert_array_equal(weights_of(taught(before, rho=0.4)), weights_of(there))


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize(
    "change",
    [{"learning_rate_init": 0.003}, {"alpha": 10.0}, {"batch_size": 50}, {"shuffle": False}],
    ids=lambda change: next(iter(change)),
)
def test_other_numbers_count_from_the_next_call_on(solver, change):
    before = taught(classifier(solver, learning_rate_init=0.02))
    same, other = taught(copy.deepcopy(before)), taught(copy.deepcopy(before), **change)
    assert np.abs(weights_of(same) - weights_of(other)).max() > 1e-6
    assert np.isfinite(weights_of(other)).all()


@pytest.mark.parametrize("solver", STOCHASTIC)
def test_without_a_change_nothing_changes(solver):
    """To the bit, though the solver is named, given anew or pickled in between."""
    named = taught(classifier(solver, learning_rate_init=0.02), n_calls=3)
    given = taught(classifier(SOLVERS[solver](), learning_rate_init=0.02))
    taught(given, solver=SOLVERS[solver]())
    given = taught(pickle.loads(pickle.dumps(given)), tol=1e-5)
    assert_array_equal(weights_of(named), weights_of(given))
    assert named.loss_curve_ == given.loss_curve_


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("solver", ["sgd", "replicated_sgd", "diffusion", "swa", "chain"])
def test_schedules_go_on_to_the_bit(solver, schedule):
    params = {"learning_rate": schedule, "learning_rate_init": 0.1}
    once = taught(classifier(solver, **params), n_calls=4)
    changed = taught(classifier(solver, **params), n_calls=2)
    taught(changed, n_calls=2, verbose=0, n_iter_no_change=11)
    assert_array_equal(weights_of(once), weights_of(changed))


def test_shares_of_the_epochs_go_by_another_max_iter():
    clf = taught(classifier(SAM(start=0.5), max_iter=10), n_calls=2)
    climbing = taught(copy.deepcopy(clf), max_iter=4)
    assert taught(clf).n_grad_evals_ == 3
    assert climbing.n_grad_evals_ == 4


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_goes_on_by_hand(nesterov):
    """Rate, momentum and penalty change, the velocity stays."""
    steps = [(0.1, 0.9, 0.0), (0.1, 0.9, 0.0), (0.03, 0.5, 0.0), (0.03, 0.8, 2.0), (0.1, 0.0, 2.0)]
    clf = classifier("sgd", batch_size=150, shuffle=False, nesterovs_momentum=nesterov)
    clf.set_params(learning_rate_init=1e-300)  # the first call only draws the weights
    w, velocity = weights_of(taught(clf)), 0.0
    for rate, momentum, alpha in steps:
        taught(clf, learning_rate_init=rate, momentum=momentum, alpha=alpha)
        g = objective(alpha).loss_gradient(w)[1]
        velocity = momentum * velocity - rate * g
        w = w + (momentum * velocity - rate * g if nesterov else velocity)
        assert_allclose(weights_of(clf), w, rtol=1e-9, atol=1e-12)


def test_the_moments_of_adam_go_on_by_hand():
    steps = [(0.9, 0.999, 1e-8, 0.01), (0.5, 0.999, 1e-8, 0.02), (0.8, 0.9, 1e-3, 0.02)]
    clf = classifier("adam", batch_size=150, shuffle=False, alpha=0.0, learning_rate_init=0.01)
    w = weights_of(taught(copy.deepcopy(clf).set_params(learning_rate_init=1e-300)))
    m = v = 0.0
    for t, (beta_1, beta_2, epsilon, rate) in enumerate(steps, start=1):
        taught(clf, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, learning_rate_init=rate)
        g = objective().loss_gradient(w)[1]
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
        scaled = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        w = w - scaled * m / (np.sqrt(v) + epsilon)
        assert_allclose(weights_of(clf), w, rtol=1e-9, atol=1e-12)


def rate_of(clf):
    return clf._solver_state.base.learning_rate


def test_a_falling_rate_falls_on_from_another_start():
    falling = {"learning_rate": "invscaling", "power_t": 0.5}
    clf = taught(classifier("sgd", learning_rate_init=0.1, **falling), n_calls=2)
    taught(clf, learning_rate_init=0.2)
    assert rate_of(clf) == 0.2 / np.sqrt(451)
    taught(clf, power_t=0.25)
    assert rate_of(clf) == 0.2 / 601**0.25
    taught(clf, learning_rate="constant")
    assert rate_of(clf) == 0.2


def test_a_rate_that_was_lowered_on_plateaus_stays_as_much_lower():
    clf = classifier("sgd", learning_rate="adaptive", learning_rate_init=0.1, tol=1e9)
    taught(clf.set_params(n_iter_no_change=1), n_calls=3)
    assert rate_of(clf) == pytest.approx(0.1 / 5)
    taught(clf, learning_rate_init=0.5, tol=0.0)
    assert rate_of(clf) == pytest.approx(0.5 / 5)


# --- parameters of the solver ---

#: A change of a solver's own parameters that leaves what it remembers as it is.
CHANGES = [
    (SAM(), SAM(m=10)),
    (SAM(), SAM(interval=2)),
    (SAM(interval=2), SAM()),
    (SAM(interval=2), SAM(interval=3, reuse=2.0)),
    (SAM(), SAM(ascent_steps=2, normalize=False)),
    (SAM(start=0.5), SAM()),
    (SAM(), SAM(radius="graph")),
    (ASAM("sgd"), ASAM("sgd", m=10)),
    (GSAM(), GSAM(gap=0.9)),
    (FriendlySAM(), FriendlySAM(decay=0.2)),
    (SANER(), SANER(reduction=0.9)),
    (NGD(), NGD(power=0.0)),
    (Noise(), Noise(noise="weight")),
    (RSP(), RSP(n_directions=3)),
    (SAP(), SAP(sample_size=8)),
    (TracePenalty(), TracePenalty(interval=3, average=0.5)),
    (TracePenalty(interval=3), TracePenalty()),
    (SWA(start=0.0), SWA(start=0.0, rate="cyclic", cycle=2)),
    (SWA(start=0.0, rate="cyclic"), SWA(start=0.0)),
    (EMA(), EMA(decay=0.3)),
    (EntropySGD(), EntropySGD(n_inner=3)),
    (ReplicatedSGD(growth=1.0), ReplicatedSGD(growth=1e9)),
    (Diffusion(4), Diffusion(4, graph="complete")),
    (Chain("sgd", SAM(), switch=0.0), Chain("sgd", SAM(m=10), switch=0.0)),
    (Chain("sgd", SAM(), switch=0.0), Chain("sgd", SAM(), switch=0.0, rho=0.4)),
    (Chain("sgd", SAM()), Chain("sgd", SAM(), switch=0.0)),
]


@pytest.mark.parametrize(("before", "after"), CHANGES, ids=repr)
def test_another_parameter_of_the_solver_counts_and_the_state_stays(before, after):
    rho = 10.0 if isinstance(before, ReplicatedSGD) else 0.1
    clf = taught(classifier(before, learning_rate_init=0.05, rho=rho), n_calls=2)
    state = clf._solver_state
    same, other = (taught(copy.deepcopy(clf), n_calls=2, solver=s) for s in (before, after))
    assert np.abs(weights_of(same) - weights_of(other)).max() > 1e-9
    assert taught(clf, solver=after)._solver_state is state
    assert state.epoch == 3


@pytest.mark.parametrize(("before", "after"), CHANGES, ids=repr)
def test_an_object_changed_in_place_is_another_solver(before, after):
    clf = taught(classifier(copy.deepcopy(before), learning_rate_init=0.05, rho=0.1), n_calls=2)
    replaced = taught(copy.deepcopy(clf), solver=after)
    clf.solver.set_params(**after.get_params(deep=False))
    assert_array_equal(weights_of(taught(clf)), weights_of(replaced))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SAM(), SAM("sgd")),
        (SAM(), ASAM()),
        (SAM(), Adam()),
        (Noise(), Noise("sgd")),
        (LabelNoise(), LabelNoise("adam")),
        (ReplicatedSGD(3), ReplicatedSGD(4)),
        (Diffusion(4), Diffusion(5)),
        (Chain("sgd", "sam"), Chain("adam", "sam")),
        (Chain("sgd", SAM()), Chain("sgd", SAM("sgd"))),
        (SWA(), SGD()),
        (EMA(), EMA("sgd")),
    ],
    ids=repr,
)
def test_with_another_structure_a_new_state_begins(before, after):
    clf = taught(classifier(before, learning_rate_init=0.05, rho=0.1), n_calls=2)
    anew = taught(begun_anew(clf), n_calls=2, solver=after)
    assert_array_equal(weights_of(taught(clf, n_calls=2, solver=after)), weights_of(anew))


def test_radius_0_is_the_base_solver_and_comes_back():
    clf = taught(classifier("sam", rho=0.1), n_calls=2)
    base = taught(begun_anew(clf), solver="adam")
    assert_array_equal(weights_of(taught(clf, rho=0)), weights_of(base))
    anew = taught(begun_anew(clf), rho=0.1)
    assert_array_equal(weights_of(taught(clf, rho=0.1)), weights_of(anew))


def weights_of_a_ring(n_agents, share):
    ring = np.eye(n_agents) * (1 - 2 * share)
    return ring + share * (np.roll(np.eye(n_agents), 1, 0) + np.roll(np.eye(n_agents), -1, 0))


def test_large_graphs_are_told_apart():
    """What is printed of so large an array does not show where they differ."""
    graphs = [weights_of_a_ring(40, 0.3), weights_of_a_ring(40, 0.3)]
    graphs[1][9:12, 9:12] = [[0.7, 0.3, 0], [0.3, 0.4, 0.3], [0, 0.3, 0.7]]
    graphs[1][9, 8] = graphs[1][8, 9] = graphs[1][11, 12] = graphs[1][12, 11] = 0
    graphs[1][8, 8] = graphs[1][12, 12] = 0.7
    assert repr(graphs[0]) == repr(graphs[1])
    clf = classifier(Diffusion(40, graph=graphs[0]), batch_size=150, learning_rate_init=0.5)
    same, other = (taught(copy.deepcopy(taught(clf)), solver__graph=graph) for graph in graphs)
    assert np.abs(weights_of(same) - weights_of(other)).max() > 0
    assert_array_equal(other._solver_state.memory.weights, graphs[1])


def test_a_chain_in_its_second_stage_hears_of_a_change():
    """Its rule alone does the same: gradient descent without momentum carries nothing."""
    plain = {"momentum": 0.0, "learning_rate_init": 0.1, "rho": 0.1}
    chain = Chain("sgd", SAM("sgd"), switch=0.0)
    clf = taught(classifier(chain, **plain), n_calls=2)
    alone = begun_anew(clf).set_params(solver=SAM("sgd"))
    for changes in ({"rho": 0.3}, {"learning_rate_init": 0.02}):
        taught(clf, **changes), taught(alone, **changes)
        assert_array_equal(weights_of(clf), weights_of(alone))
    taught(clf, solver=Chain("sgd", SAM("sgd"), switch=0.0, rho=0.0))
    taught(alone, rho=0)
    assert_array_equal(weights_of(clf), weights_of(alone))


def test_replicas_stay_apart_while_the_coupling_changes():
    clf = classifier(ReplicatedSGD(), rho=10, learning_rate_init=0.1, momentum=0.0)
    points = taught(clf, n_calls=3)._solver_state.memory.points.copy()
    taught(clf, rho=100, learning_rate_init=1e-9)
    assert_allclose(clf._solver_state.memory.points, points, atol=1e-6)
    assert np.ptp(points, axis=0).max() > 0.01

"""What a perturbed step does to the loss, drift tables, and steps and radii that diminish."""

import copy
from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from toys import Toy, descend, hyperbola, quadratic

from skflat.models.mlp import MLP
from skflat.objective import PERTURBATIONS, HalfSquared, Objective, Workspace
from skflat.solvers import RSP, SAM, SAP, SOLVERS, Noise, Run, Settings

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

each_base = pytest.mark.parametrize("base", ["adam", "sgd"])
each_perturbation = pytest.mark.parametrize("rule", [RSP, SAP])
PLAIN = {"momentum": 0.0, "nesterovs_momentum": False}


def rows(n_rows=12):
    rng = np.random.default_rng(0)
    model = MLP([3, 4, 1], "tanh")
    objective = Objective(model, HalfSquared(), rng.normal(size=(n_rows, 3)), np.ones((n_rows, 1)))
    return objective, rng.normal(size=model.layout.size)


def prepared(solver, seed, n_steps=5, **settings):
    """Objective, point and state of a solver after some steps."""
    objective, w = rows()
    settings = Settings(**{"rho": 0.3, "learning_rate_init": 1e-3} | settings)
    state = solver.init_state(objective, w, settings, np.random.default_rng(seed))
    state.work = Workspace()
    for _ in range(n_steps):
        solver.step(objective, w, objective.batch(), state)
    return objective, w, state


def rises(solver, base, seed, **settings):
    """First-order changes of the loss: by a perturbed step, and by the plain one in its place."""
    objective, w, state = prepared(solver, seed, **settings)
    g, batch = objective.loss_gradient(w)[1], objective.batch()
    plain, perturbed = w.copy(), w.copy()
    copy.deepcopy(state.base).step(plain, g.copy())
    solver.step(objective, perturbed, batch, state)
    return g @ (perturbed - w), g @ (plain - w), perturbed - plain


@each_base
@each_perturbation
def test_a_step_orthogonal_as_a_step_changes_no_loss_to_first_order(rule, base):
    for seed in range(10):
        perturbed, plain, added = rises(rule(base, orthogonal="step"), base, seed)
        assert perturbed == pytest.approx(plain, rel=1e-10)
        assert np.linalg.norm(added) > 1e-5


def test_orthogonal_to_the_gradient_is_not_orthogonal_as_a_step_of_adam():
    """Of plain steps it is."""
    shares = {"adam": [], "sgd": []}
    for base, found in shares.items():
        for seed in range(50):
            perturbed, plain, _ = rises(RSP(base), base, seed, n_steps=0, rho=2.0, **PLAIN)
            found.append(perturbed / plain)
    assert_allclose(shares["sgd"], 1, rtol=1e-10)
    assert min(shares["adam"]) < 0.9


def test_momentum_is_that_of_the_plain_part():
    """``v`` comes with the learning rate, and is not remembered."""
    objective, w, state = prepared(SAP("sgd", orthogonal="step"), 0)
    twin = copy.deepcopy(state)
    SAP("sgd", orthogonal="step").step(objective, w, objective.batch(), state)
    other = SOLVERS["sgd"]()
    objective, there, _ = prepared(SAP("sgd", orthogonal="step"), 0)
    other.step(objective, there, objective.batch(), twin)
    assert_array_equal(state.base._pull, twin.base._pull)
    assert np.abs(w - there).max() > 0


@each_perturbation
def test_by_default_the_base_steps_along_the_sum(rule):
    objective, w = rows()
    settings = Settings(rho=0.3)
    ends = []
    for take in ("step", "direction"):
        solver, there = rule("adam"), w.copy()
        state = solver.init_state(objective, there, settings, np.random.default_rng(0))
        state.work = Workspace()
        if take == "step":
            solver.step(objective, there, objective.batch(), state)
        else:
            state.base.step(there, solver.direction(objective, there, objective.batch(), state)[1])
        ends.append(there)
    assert_array_equal(*ends)


@each_base
@each_perturbation
def test_plain_steps_may_have_a_rate_of_their_own(rule, base):
    """The paper's ``eta'``: without a perturbed step it is the base at that rate, to the bit."""
    plain = rule(base, tolerance=1e-9, plain_rate=0.25)
    ends = [
        descend(solver, hyperbola(), (2, 0.6), 20, rho=0.3, learning_rate_init=rate)
        for solver, rate in ((plain, 0.02), (SOLVERS[base](), 0.005))
    ]
    assert_array_equal(*ends)
    near = rule(base, tolerance=np.inf, plain_rate=0.25)
    assert_array_equal(
        descend(near, hyperbola(), (2, 0.6), 5, rho=0.3),
        descend(rule(base), hyperbola(), (2, 0.6), 5, rho=0.3),
    )


# Drift along the hyperbola, by step


def imbalance(w):
    return w[0] ** 2 - w[1] ** 2


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("w", [(2.0, 0.7), (3.0, 0.3)])
def test_one_step_of_sam_shrinks_the_imbalance_by_its_law(w, normalize):
    eta, rho, w = 0.02, 0.05, np.array(w)
    after = descend(SAM("sgd", normalize=normalize), hyperbola(), w, 1, rho=rho)
    r, size, C = w[0] * w[1] - 1, np.linalg.norm(w), imbalance(w)
    climb = rho * np.sign(r) / size if normalize else 2 * rho * r
    above = w + climb * w[::-1]
    top = above[0] * above[1] - 1
    expected = C * (1 - 4 * eta * top * climb) - 4 * eta**2 * top**2 * imbalance(above)
    assert imbalance(after) == pytest.approx(expected, rel=1e-12)


def test_in_its_cycle_sam_shrinks_the_imbalance_for_ever():
    """By ``16 eta rho^2 / (2 - eta lam)^2`` a step, with ``lam = 2 |w|^2``."""
    eta, rho, n_steps = 0.02, 0.02, 100
    settled = descend(SAM("sgd"), hyperbola(), (3.0, 1 / 3 + 1e-3), 400, rho=rho)
    after = descend(SAM("sgd"), hyperbola(), settled, n_steps, rho=rho)
    rate = 16 * eta * rho**2 / (2 - eta * 2 * settled @ settled) ** 2
    shrunk = np.log(imbalance(settled) / imbalance(after)) / n_steps
    assert shrunk == pytest.approx(rate, rel=0.02)


def test_noise_in_both_directions_drifts_as_finite_differences_do():
    """On ``(y.z - 1)^2 / 2`` by ``2 rho^2 (|y|^2 - |z|^2) / 2`` in the mean, without an error."""
    rho, rng = 0.05, np.random.default_rng(0)
    toy = Toy(
        lambda w: (w[:5] @ w[5:] - 1) ** 2 / 2,
        lambda w: (w[:5] @ w[5:] - 1) * np.r_[w[5:], w[:5]],
        None,
    )
    w = rng.normal(size=10)
    left = iter(np.eye(10) * 10**0.5)  # the second moments are those of the normal

    class Drawing(PERTURBATIONS["isotropic"]):
        def draw(self, rng, out=None):
            out[:] = next(left)

    solver = Noise("sgd", n_draws=10)
    with patch.dict(PERTURBATIONS, {"isotropic": Drawing}):
        state = solver.init_state(toy, w, Settings(rho=rho), rng)
        state.work = Workspace()
        g = solver.direction(toy, w, toy.batch(), state)[1]
    B = (w[:5] @ w[:5] - w[5:] @ w[5:]) / 2
    assert np.r_[w[:5], -w[5:]] @ g == pytest.approx(2 * rho**2 * B, rel=1e-10)


# Steps and radii that diminish (Khanh and others, arXiv:2401.08060)


@pytest.mark.parametrize("n_steps", [5_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_with_diminishing_steps_sam_converges_on_a_quadratic(n_steps):
    """As the steps: to ``step rho lam / 2``."""
    w = descend(
        SAM("sgd"),
        quadratic(4.0, 1.0),
        (0.3, 0.3),
        n_steps,
        rho=0.2,
        learning_rate="invscaling",
        learning_rate_init=0.4,
        power_t=0.5001,
    )
    step = 0.4 / n_steps**0.5001
    assert np.linalg.norm(w) == pytest.approx(step * 0.2 * 4 / 2, rel=0.05)
    if n_steps == 200_000:
        assert np.linalg.norm(w) == pytest.approx(3.58e-4, rel=0.01)


def test_with_diminishing_radii_sam_converges_at_a_constant_step():
    """To the cycle of the radius at hand, ``eta rho lam / (2 - eta lam)``."""
    toy, solver, w, eta = quadratic(4.0, 1.0), SAM("sgd"), np.array([0.3, 0.3]), 0.1
    settings = Settings(rho=0.2, learning_rate_init=eta, n_iter_no_change=np.inf, **PLAIN)
    state = solver.init_state(toy, w, settings, np.random.default_rng(0))
    for k in range(1, 41):
        rho = 0.2 / k
        solver.adopt(toy, w, state, settings.replaced(rho=rho))
        run = Run(toy, state.settings, np.random.RandomState(0), max_epochs=30)
        w = solver.solve(w, state, run)
    assert np.linalg.norm(w) == pytest.approx(eta * rho * 4 / (2 - eta * 4), rel=1e-6)

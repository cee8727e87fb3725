"""One solver, then another."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from staging import classifier, network
from stepping import X, Y, each_base, weights_of
from toys import Toy, descend, hyperbola, quadratic

from skflat.solvers import (
    ASAM,
    LBFGS,
    SAM,
    SGD,
    SWA,
    Adam,
    Chain,
    LabelNoise,
    Run,
    Settings,
    minimize,
)

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_sam_late_in_training_is_a_chain():
    """The traces from GD's end, moved off the manifold by 1e-3."""

    class Nudged(SGD):
        """GD that ends beside where it ended."""

        def finalize(self, w, state):
            return w + 1e-3

    expected = {100: "11.20", 300: "4.52", 500: "4.012", 1000: "3.898"}
    for n_late, figure in expected.items():
        n_steps = 5000 + n_late
        solver = Chain(Nudged(), SAM("sgd"), switch=5000 / n_steps)
        end = descend(solver, hyperbola(), (4, 0.3), n_steps, rho=0.3, max_iter=n_steps)
        trace = 2 * end @ end
        assert f"{trace:.{len(figure.split('.')[1])}f}" == figure


@pytest.mark.parametrize(
    ("first", "second"),
    [(SGD(), SAM("sgd")), (Adam(), SAM()), (ASAM(), SGD()), (SWA(), SAM()), (SAM(), LabelNoise())],
    ids=repr,
)
def test_a_chain_is_its_solvers_by_hand_to_the_bit(first, second):
    """Momentum and moments begin anew; noise and the order of the rows go on."""
    objective, w = network("multinomial", n_rows=12)
    numbers = {"batch_size": 5, "rho": 0.2, "n_iter_no_change": np.inf, "shuffle": False}
    chain = Chain(first, second, switch=0.6, rho=0.1, learning_rate_init=0.05)
    found, run = minimize(chain, objective, w, Settings(max_iter=10, **numbers))
    middle, early = minimize(first, objective, w, Settings(max_iter=6, **numbers))
    late = Settings(max_iter=4, **numbers | {"rho": 0.1, "learning_rate_init": 0.05})
    end, after = minimize(second, objective, middle, late)
    assert_array_equal(found, end)
    assert run.work.rows == early.work.rows + after.work.rows


@each_base
def test_late_sam_in_a_fit_is_sam_that_starts_late_but_with_new_moments(base):
    chain, late, plain = (
        classifier(solver).fit(X, Y)
        for solver in (Chain(base, switch=0.5), SAM(base, start=0.5), base)
    )
    assert chain.loss_curve_[:4] == late.loss_curve_[:4] == plain.loss_curve_[:4]
    assert chain.n_grad_evals_ == late.n_grad_evals_ == 4 + 2 * 4
    assert chain.loss_curve_[4:] != late.loss_curve_[4:] != plain.loss_curve_[4:]


@pytest.mark.parametrize(
    ("chain", "rho"),
    [
        (Chain(), 0.05),
        (Chain("sam", "sam"), 0.05),
        (Chain("adam", "asam"), 0.5),
        (Chain("asam", "sgd"), 0.5),
        (Chain("sgd", "adam"), None),
        (Chain("sgd", "sam", rho=0.3), None),
        (Chain("asam", "sam", rho=0.3), 0.5),
    ],
    ids=repr,
)
def test_the_default_radius_is_that_of_the_stages(chain, rho):
    assert chain.default_rho == rho


def test_where_the_stages_differ_auto_is_each_its_own():
    apart = Chain("asam", "sam", switch=0.5)
    assert np.isnan(apart.default_rho)
    given = Chain("asam", "sam", switch=0.5, rho=0.05)
    fits = [classifier(s, rho=r).fit(X, Y) for s, r in ((apart, "auto"), (given, 0.5))]
    assert_array_equal(*map(weights_of, fits))


def test_a_radius_of_its_own_outlives_radius_0():
    alone, chain = (
        classifier(solver, rho=rho).fit(X, Y)
        for solver, rho in ((Chain("sgd", "sam", rho=0.3), 0), (Chain("sgd", "sam"), 0.3))
    )
    assert_array_equal(weights_of(alone), weights_of(chain))
    plain = classifier(Chain("sgd", "sam", rho=0.0)).fit(X, Y)
    assert_array_equal(weights_of(plain), weights_of(classifier(Chain("sgd", "adam")).fit(X, Y)))


@pytest.mark.parametrize("rho", [0, 0.1])
def test_partial_fit_passes_the_switch(rho):
    clf = classifier(Chain(SAM("sgd"), SAM(), switch=0.5), rho=rho, max_iter=4)
    for _ in range(4):
        clf.partial_fit(X, Y, classes=[0, 1, 2])
    memory = clf._solver_state.memory
    assert (memory.position, memory.epoch) == (1, 2)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_schedule_goes_on_over_the_switch(share):
    """With equal stages and without momentum the switch is not to be seen."""
    falling = {"learning_rate": "invscaling", "momentum": 0.0, "learning_rate_init": 0.1}
    chain = classifier(Chain("sgd", "sgd", switch=share), **falling).fit(X, Y)
    alone = classifier("sgd", **falling).fit(X, Y)
    assert_array_equal(weights_of(chain), weights_of(alone))


def test_points_of_a_stage_follow_where_somebody_moves_their_centre():
    still = Toy(lambda w: 0.0, np.zeros_like, None, n_rows=12)
    settings, random_state = Settings(rho=1.0, batch_size=6), np.random.RandomState(0)
    solver, w = Chain("replicated_sgd", "sam"), np.zeros(3)
    state = solver.init_state(still, w, settings, np.random.default_rng(0))
    for _ in range(2):
        w = solver.solve(w + 1, state, Run(still, settings, random_state, max_epochs=1))
    assert_array_equal(w, 2)


def test_a_switch_at_either_end_is_one_solver_alone():
    for switch, alone in ((0.0, SAM()), (1.0, SGD())):
        chain = classifier(Chain("sgd", "sam", switch=switch)).fit(X, Y)
        assert_array_equal(weights_of(chain), weights_of(classifier(alone).fit(X, Y)))


def test_a_plateau_of_the_first_stage_begins_the_second():
    settings = Settings(rho=0.1, learning_rate_init=0.02, max_iter=1000, momentum=0.0)
    w, alone = minimize(SGD(), hyperbola(), np.array([4.0, 0.3]), settings)
    end, chained = minimize(Chain("sgd", "sam"), hyperbola(), np.array([4.0, 0.3]), settings)
    assert alone.n_iter < chained.n_iter < 750
    assert end @ end < w @ w - 1e-3


def test_stages_are_set_like_any_parameter():
    clf = classifier(Chain("sgd", SAM("sgd")))
    clf.set_params(solver__second__interval=3, solver__switch=0.25)
    assert repr(clf.solver) == "Chain(second=SAM(base='sgd', interval=3), switch=0.25)"


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        (Chain("sgd", "lbfgs"), "'second' parameter of Chain must be a rule .* LBFGS has a loop"),
        (Chain(LBFGS()), "'first' parameter of Chain must be a rule"),
        (Chain("steepest"), "'first' parameter of Chain must be a solver or one of .*'steepest'"),
        (Chain("sgd", SAM("rmsprop")), "The 'base' parameter of SAM"),
        (Chain(switch=1.5), "The 'switch' parameter of Chain"),
        (Chain(rho=-1), "The 'rho' parameter of Chain"),
        (Chain(learning_rate_init=0), "The 'learning_rate_init' parameter of Chain"),
    ],
    ids=repr,
)
def test_a_structure_that_makes_no_sense_is_refused(solver, message):
    with pytest.raises(ValueError, match=message):
        classifier(solver).fit(X, Y)


def test_a_chain_of_chains_is_refused():
    with pytest.raises(ValueError, match="'second' parameter of Chain must not be a Chain itself"):
        minimize(Chain("sgd", Chain()), quadratic(1.0), np.ones(1), Settings(rho=0.1))

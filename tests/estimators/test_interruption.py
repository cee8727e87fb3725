"""An interrupted fit leaves a usable network."""

import autograd.numpy as anp
import numpy as np
import pytest
from irises import (
    HELD_OUT,
    TRAIN,
    X,
    Y,
    classifier,
    each_kind,
    each_solver,
    each_stochastic_kind,
    interrupted,
)

# Short fits do not converge.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class InterruptedAt:
    """An activation at whose n-th evaluation on a batch somebody presses Ctrl-C."""

    def __init__(self, n):
        self.n_left = n

    def __call__(self, z):
        if z.ndim == 2:  # and not when the network asks what kind of function it is
            self.n_left -= 1
            if self.n_left == 0:
                raise KeyboardInterrupt
        return anp.tanh(z)


@each_solver
@pytest.mark.parametrize("n", [1, 2, 40])
def test_an_interrupted_fit_warns_and_leaves_a_usable_network(n, solver):
    clf = classifier(solver=solver, activation=InterruptedAt(n), max_iter=1000, tol=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        clf.fit(X, Y)
    assert clf.activation.n_left == 0
    assert clf.n_iter_ == len(clf.loss_curve_) < 1000
    assert np.isfinite(clf.predict_proba(X)).all()


@interrupted
def test_an_interrupted_fit_is_measured():
    clf = classifier(activation=InterruptedAt(40), measures=["flatness"]).fit(X, Y)
    assert clf.flatness_ > 0


@interrupted
@each_stochastic_kind
def test_an_interrupted_fit_with_early_stopping_keeps_the_best_so_far(solver):
    late = InterruptedAt(1000)  # of the forward passes, of which one step of a solver takes 20
    clf = classifier(solver=solver, early_stopping=True, activation=late, tol=0)
    clf.set_params(max_iter=1000, n_iter_no_change=1000)
    clf.fit(X[TRAIN], Y[TRAIN], validation_data=HELD_OUT)
    assert clf.n_iter_ > 1
    assert clf.score(*HELD_OUT) == max(clf.validation_scores_)


@interrupted
@each_kind
def test_training_goes_on_after_an_interruption(solver):
    clf = classifier(solver=solver, activation=InterruptedAt(30), warm_start=True, max_iter=50)
    before = clf.fit(X, Y).score(X, Y)
    assert clf.fit(X, Y).score(X, Y) >= before
    assert clf.n_iter_ > 0

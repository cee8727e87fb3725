"""FlatMatrixFactorization(solver='gibbs'): the mean over the posterior."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skflat import FlatMatrixFactorization
from skflat.measures import FlatnessMonitor, hessian_trace
from skflat.models.factorization._gibbs import GibbsSweeps
from skflat.solvers import Gibbs

N_ROWS, N_COLUMNS, K = 80, 40, 3


@pytest.fixture(scope="module")
def entries():
    """Noisy entries of a matrix of rank 3: those to learn from, and others."""
    rng = np.random.default_rng(0)
    M = rng.normal(size=(N_ROWS, K)) @ rng.normal(size=(K, N_COLUMNS))
    X = rng.permutation(np.argwhere(np.ones(M.shape)))[:1600]
    y = M[tuple(X.T)] + rng.normal(size=len(X))
    return X[:800], y[:800], X[800:], M[tuple(X[800:].T)]


def sampled(entries, **params):
    settings = {"n_components": 5, "max_iter": 60, "measures": None, "random_state": 0}
    return FlatMatrixFactorization(**settings | {"solver": "gibbs"} | params).fit(*entries[:2])


@pytest.fixture(scope="module")
def model(entries):
    return sampled(entries, keep_seen=True)


@pytest.mark.filterwarnings("ignore:als did not converge")
def test_the_mean_predicts_better_than_the_best_point(entries, model):
    _, _, X_new, y_new = entries
    # The rival gets the best of ten penalties on the entries that are predicted.
    points = [
        sampled(entries, solver="als", rho=0.0, alpha=alpha) for alpha in np.logspace(-1, 1.5, 10)
    ]
    assert model.score(X_new, y_new) > max(point.score(X_new, y_new) for point in points)


def test_more_members_predict_better_than_one(entries):
    few = sampled(entries, solver=Gibbs(n_members=1))
    many = sampled(entries, solver=Gibbs(n_members=40))
    assert (few.factors_[0].shape[1], many.factors_[0].shape[1]) == (5, 200)
    assert few.score(*entries[2:]) < many.score(*entries[2:]) - 0.02


def test_all_sweeps_are_run_and_the_members_stand_side_by_side(entries, model):
    assert model.n_iter_ == len(model.loss_curve_) == 60
    assert model.n_grad_evals_ == 120
    assert model.row_factors_.shape == (N_ROWS, 5 * 48)  # as many members as sweeps after burn-in
    few = sampled(entries, max_iter=7, solver=Gibbs(n_members=3, burn_in=0.0))
    assert few.row_factors_.shape == (N_ROWS, 5 * 3)


def test_a_fit_is_repeated_to_the_bit(entries, model):
    again = sampled(entries)
    assert_array_equal(again.row_factors_, model.row_factors_)
    restored = pickle.loads(pickle.dumps(model))
    assert_array_equal(restored.predict(entries[2]), model.predict(entries[2]))


def test_the_unit_of_the_targets_does_not_matter(entries, model):
    X, y, X_new, _ = entries
    scaled = sampled((X, 100 * y))
    assert_allclose(scaled.predict(X_new), 100 * model.predict(X_new), rtol=1e-6)
    assert_allclose(scaled.alpha_, model.alpha_, rtol=1e-6)


def test_what_is_measured_is_the_mean_trace_of_the_members(entries, model):
    X, y, *_ = entries
    trace = hessian_trace(model, X, y).value
    counts = [np.bincount(X[:, c]) for c in (0, 1)]
    factors = [F.reshape(len(F), 48, 5) * np.sqrt(48) for F in model.factors_]
    traces = [
        3 + sum(n @ (F[:, m] ** 2).sum(axis=1) for n, F in zip(counts, factors, strict=True)) / 800
        for m in range(48)
    ]
    assert_allclose(trace, np.mean(traces), rtol=1e-10)


def test_the_usual_measures_are_taken(entries):
    model = sampled(entries, measures=("sharpness", "flatness", "weakness"), max_iter=5)
    assert np.isfinite([model.sharpness_, model.flatness_, model.weakness_]).all()


def test_new_rows_are_folded_in(entries):
    X, y, X_new, y_new = entries
    known, late = X[:, 0] < 70, X_new[:, 0] >= 70
    model = sampled((X[known], y[known]))
    before = model.predict(X_new[late])
    model.fold_in(X[~known], y[~known])
    errors = [np.mean((y_new[late] - each) ** 2) for each in (before, model.predict(X_new[late]))]
    assert errors[1] < 0.75 * errors[0]


def test_the_best_items_are_those_of_the_mean(model):
    codes = np.column_stack([np.zeros(N_COLUMNS, int), np.arange(N_COLUMNS)])
    _, scores = model.recommend([0], n=3, exclude_seen=False)[:2]
    assert_allclose(np.sort(model.predict(codes))[::-1][:3], scores[0])


@pytest.mark.parametrize("rho", [0.3, 1.0])
def test_a_radius_shrinks_the_factors(entries, model, rho):
    shrunk = sampled(entries, rho=rho)
    assert hessian_trace(shrunk, *entries[:2]).value < hessian_trace(model, *entries[:2]).value


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"feedback": "implicit"}, "feedback='implicit' needs solver='als', got 'gibbs'"),
        ({"solver": Gibbs(n_members=0)}, "n_members"),
        ({"solver": Gibbs(burn_in=1.0)}, "burn_in"),
    ],
)
def test_what_is_not_defined_is_refused(entries, params, message):
    X, y, *_ = entries
    with pytest.raises(ValueError, match=message):
        sampled((X, np.abs(y)), **params)


@pytest.mark.parametrize(("rho", "tried"), [("auto", "Try more sweeps"), (1e6, "Try less of rho=")])
def test_advice_names_only_what_is_used(entries, rho, tried):
    model = FlatMatrixFactorization(2, solver="gibbs", rho=rho, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning, match=f"{tried}.*max_iter=2.$") as told:
        model.set_params(measures=None).fit(*entries[:2], np.full(800, 1e-6))
    assert "alpha" not in str(told[0].message)


def test_neither_updates_nor_warm_starts(entries, model):
    with pytest.raises(AttributeError, match="partial_fit"):
        model.partial_fit(*entries[:2])
    warm = sampled(entries, warm_start=True, max_iter=5)
    with pytest.raises(ValueError, match="warm_start"):
        warm.fit(*entries[:2])


def test_no_single_draw_is_selected(entries, model):
    monitor = FlatnessMonitor([], select="sharpness")
    with pytest.raises(ValueError, match="set select=None"):
        clone(model).set_callbacks(monitor).fit(*entries[:2])


def test_one_column_of_identifiers_and_three(entries):
    X, y, X_new, y_new = entries
    assert sampled((X[:, :1], y)).score(X[:, :1], y) > 0
    triples = np.column_stack([X, X.sum(axis=1) % 4])
    others = np.column_stack([X_new, X_new.sum(axis=1) % 4])
    assert sampled((triples, y)).score(others, y_new) > 0.5


def test_single_precision_stays(entries):
    X, y, X_new, y_new = entries
    model = sampled((X, y.astype(np.float32)))
    assert model.row_factors_.dtype == model.predict(X_new).dtype == np.float32
    assert model.score(X_new, y_new) > 0.5


@pytest.mark.filterwarnings("ignore:Training ended no better")
@pytest.mark.parametrize(("n", "weight"), [(1, None), (5, 1e-3), (800, 1e-6)])
def test_little_information_keeps_the_chain_bounded(entries, n, weight):
    X, y, *_ = entries
    weight = None if weight is None else np.full(n, weight)
    for seed in range(5):
        model = FlatMatrixFactorization(2, solver="gibbs", max_iter=10, random_state=seed)
        model.set_params(measures=None).fit(X[:n], y[:n], weight)
        assert np.abs(model.predict(X)).max() < 50
        if n == 1:
            assert np.abs(model.predict(X[:1]) - y[0]) < 0.5 * np.abs(y[0])


def test_interrupted_it_keeps_what_it_has(entries, monkeypatch):
    sweeps = []

    def stopped(chain, w):
        sweeps.append(w)
        if len(sweeps) == 5:
            raise KeyboardInterrupt
        return draw(chain, w)

    draw = GibbsSweeps.sweep
    monkeypatch.setattr(GibbsSweeps, "sweep", stopped)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model = sampled(entries, solver=Gibbs(burn_in=0.0))
    assert model.n_iter_ == 4
    assert model.row_factors_.shape[1] in (5 * 3, 5 * 4)
    assert np.isfinite(model.predict(entries[2])).all()


def test_a_chain_that_diverges_at_once_says_so(entries, monkeypatch):
    def sweep(chain, w):
        w[:] = np.nan
        return np.nan

    monkeypatch.setattr("skflat.models.factorization._gibbs.GibbsSweeps.sweep", sweep)
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        sampled(entries)

"""The model of matrix factorization, compared with autograd, dense versions and closed forms."""

from itertools import combinations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from toys import expected_loss, trace_gradient, trace_of_rows

from skflat.models.factorization import Factorization
from skflat.models.mlp import MLP
from skflat.objective import (
    Batch,
    Binary,
    Entries,
    Geometry,
    HalfPoisson,
    HalfSquared,
    LeastSquares,
    Model,
    Objective,
    TraceGradient,
    Workspace,
)
from skflat.solvers import ALS, LBFGS, Settings, minimize

SHAPES = {
    "matrix": ((5, 4), 3, True),
    "product": ((5, 4), 3, False),
    "three kinds": ((4, 3, 5), 2, True),
    "four kinds, no offsets": ((3, 2, 4, 2), 2, False),
    "one kind": ((6,), 3, True),
}
LOSSES = {"squared": HalfSquared(), "poisson": HalfPoisson(), "binary": Binary()}

each_shape = pytest.mark.parametrize("shape", SHAPES)
each_loss = pytest.mark.parametrize("loss", LOSSES)
each_weighting = pytest.mark.parametrize("weighted", [False, True])


class Traced(Factorization):
    """The same model, differentiated by autograd."""

    loss_gradient, linearized = Model.loss_gradient, Model.linearized
    squared_gradients = Model.squared_gradients


def observed(shape, weighted=False, n=30, loss="squared", seed=0):
    """Some observations, and parameters to look at them from."""
    sizes, k, offsets = SHAPES[shape]
    rng = np.random.default_rng(seed)
    X = rng.integers(sizes, size=(n, len(sizes)))
    y = rng.normal(size=(n, 1)) + 1
    y = {"squared": y, "poisson": np.abs(y), "binary": (y > 1).astype(float)}[loss]
    batch = Batch(X, y, rng.uniform(0.1, 2, size=n) if weighted else None)
    model = Factorization(sizes, k, offsets)
    return model, 0.5 * rng.normal(size=model.layout.size), batch


def full(M, k):
    """The objective of a whole matrix without offsets."""
    X = np.argwhere(np.ones_like(M, dtype=bool))
    return Objective(Factorization(M.shape, k, False), HalfSquared(), X, M.reshape(-1, 1))


def objective_of(model, batch, alpha=0.0):
    return Objective(model, HalfSquared(), batch.X, batch.y, batch.weight, alpha)


def dense_hessian(objective, w):
    return np.column_stack([objective.hvp(w, unit) for unit in np.eye(len(w))])


def score_by_hand(model, w, entry):
    intercept, offsets, factors = model.split(w)
    score = 0.0 if offsets is None else intercept[0]
    for c, code in enumerate(entry):
        score += 0.0 if offsets is None else offsets[c][code]
    for c, d in combinations(range(model.n_kinds), 2):
        score += factors[c][entry[c]] @ factors[d][entry[d]]
    return score


@each_shape
def test_a_score_is_offsets_and_the_inner_products_of_all_pairs(shape):
    model, w, batch = observed(shape)
    expected = [score_by_hand(model, w, entry) for entry in batch.X]
    assert_allclose(model.scores(w, batch.X)[:, 0], expected, rtol=1e-12)
    assert_allclose(model.forward(model.layout.views(w), batch.X)[:, 0], expected, rtol=1e-12)


@each_shape
@each_loss
@each_weighting
def test_derivatives_by_hand_equal_those_of_autograd(shape, loss, weighted):
    model, w, batch = observed(shape, weighted, loss=loss)
    traced = Traced(*SHAPES[shape])
    v = np.random.default_rng(1).normal(size=w.shape)
    gradients = [np.empty_like(w) for _ in range(2)]
    arguments = [(LOSSES[loss], w, batch, out, Workspace()) for out in gradients]
    values = [each.loss_gradient(*a) for each, a in zip((model, traced), arguments, strict=True)]
    assert_allclose(*values, rtol=1e-12)
    assert_allclose(*gradients, rtol=1e-10, atol=1e-13)
    products = [each.linearized(LOSSES[loss], w, batch, Workspace())(v) for each in (model, traced)]
    assert_allclose(*products, rtol=1e-9, atol=1e-12)
    squares = [
        each.squared_gradients(LOSSES[loss], w, batch, Workspace()) for each in (model, traced)
    ]
    assert_allclose(*squares, rtol=1e-10)


@each_shape
@each_loss
@each_weighting
def test_the_trace_is_that_of_the_dense_hessian(shape, loss, weighted):
    model, w, batch = observed(shape, weighted, loss=loss)
    objective = Objective(model, LOSSES[loss], batch.X, batch.y, batch.weight)
    by_row = trace_of_rows(objective, w)
    expected = np.trace(dense_hessian(objective, w))
    assert by_row.shape == (len(batch), 1 + model.n_kinds)
    assert sum(batch.mean(column) for column in by_row.T) == pytest.approx(expected, rel=1e-10)


@each_shape
@each_weighting
def test_the_gradient_of_the_trace_is_its_slope(shape, weighted):
    model, w, batch = observed(shape, weighted)
    objective, work = objective_of(model, batch), Workspace()

    def trace(w):
        return sum(batch.mean(column) for column in trace_of_rows(objective, w).T)

    slopes = [(trace(w + 1e-4 * e) - trace(w - 1e-4 * e)) / 2e-4 for e in np.eye(len(w))]
    assert_allclose(trace_gradient(objective, w, work=work), slopes, atol=1e-9)
    assert work.rows == len(batch)


def test_only_of_the_squared_error_the_trace_has_a_gradient():
    model, _, batch = observed("matrix", loss="poisson")
    objective = Objective(model, HalfPoisson(), batch.X, batch.y)
    assert objective.capability(TraceGradient) is None
    assert objective.capability(LeastSquares) is None
    assert objective.capability(Geometry) is None


@each_shape
@each_weighting
def test_single_precision_stays_so(shape, weighted):
    model, w, batch = observed(shape, weighted)
    single = Batch(batch.X, batch.y.astype(np.float32), batch.weight)
    objective, small = objective_of(model, single), w.astype(np.float32)
    for found, expected in (
        (objective.loss_gradient(small)[1], objective_of(model, batch).loss_gradient(w)[1]),
        (objective.hvp(small, small), objective_of(model, batch).hvp(w, w)),
        (trace_gradient(objective, small), trace_gradient(objective_of(model, batch), w)),
        (model.scores(small, batch.X), model.scores(w, batch.X)),
    ):
        assert found.dtype == np.float32
        assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_chunks_of_rows_change_nothing(monkeypatch):
    model, w, batch = observed("three kinds", weighted=True)
    objective = objective_of(model, batch, alpha=0.3)

    def everything():
        alternated = w.copy()
        objective.capability(LeastSquares).alternation(0.2).sweep(alternated)
        parts = [objective.loss_gradient(w)[1], objective.hvp(w, w), alternated]
        return np.concatenate([*parts, [expected_loss(objective, w, 0.2)]])

    whole = everything()
    monkeypatch.setattr(Factorization, "chunk", 7)
    monkeypatch.setattr("skflat.models.factorization._alternation.Alternation.budget", 5)
    assert_allclose(everything(), whole, rtol=1e-9, atol=1e-12)


# Weight noise


def gauss_hermite(function, w, rho, n=2):
    """Mean under Gaussian noise on few parameters; exact for degree 3 in every one of them."""
    nodes, shares = np.polynomial.hermite_e.hermegauss(n)
    shares = shares / shares.sum()
    grid = product(range(n), repeat=len(w))
    return sum(np.prod(shares[list(at)]) * function(w + rho * nodes[list(at)]) for at in grid)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 1, 1)])
@pytest.mark.parametrize("fit_offsets", [False, True])
def test_the_expected_loss_is_that_of_an_exact_quadrature(sizes, fit_offsets):
    model = Factorization(sizes, 1 if fit_offsets else 2, fit_offsets)
    X, y = np.zeros((2, len(sizes)), int), np.array([[0.7], [-0.3]])
    objective = Objective(model, HalfSquared(), X, y, np.array([1.0, 2.5]))
    w = np.random.default_rng(0).normal(size=model.layout.size)
    expected = gauss_hermite(objective.loss, w, 0.4)
    assert expected_loss(objective, w, 0.4) == pytest.approx(expected, rel=1e-11)


@each_shape
@each_weighting
def test_the_expected_loss_is_the_mean_over_many_draws(shape, weighted):
    model, w, batch = observed(shape, weighted)
    objective, rng = objective_of(model, batch), np.random.default_rng(0)
    draws = [objective.loss(w + 0.3 * rng.normal(size=w.shape)) for _ in range(3000)]
    error = np.std(draws, ddof=1) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - expected_loss(objective, w, 0.3)) < 3 * error


def test_of_a_full_matrix_noise_adds_squared_norms_to_the_sum_of_squares():
    """``|XY' - M|^2 + rho^2 (n |X|^2 + m |Y|^2) + rho^4 k m n``; the objective is it over 2 m n."""
    m, n, k, rho = 5, 4, 3, 0.3
    rng = np.random.default_rng(0)
    M, X, Y = rng.normal(size=(m, n)), rng.normal(size=(m, k)), rng.normal(size=(n, k))
    total = np.sum((X @ Y.T - M) ** 2) + rho**2 * (n * np.sum(X**2) + m * np.sum(Y**2))
    expected = (total + rho**4 * k * m * n) / (2 * m * n)
    w = np.concatenate([X.ravel(), Y.ravel()])
    assert expected_loss(full(M, k), w, rho) == pytest.approx(expected, rel=1e-12)


# Alternating least squares


@each_shape
@each_weighting
@pytest.mark.parametrize(("rho", "alpha"), [(0.3, 0.0), (0.0, 0.5), (0.3, 0.5), (0.3, (0.2, 1.5))])
def test_what_alternation_finds_is_stationary_for_the_expected_loss(shape, weighted, rho, alpha):
    model, w, batch = observed(shape, weighted)
    objective = objective_of(model, batch, alpha)
    w = model.init(np.random.RandomState(0), batch)
    settings = Settings(rho=rho, max_iter=5000, tol=1e-15)
    w, _ = minimize(ALS(), objective, w, settings)
    slope = objective.loss_gradient(w)[1] + rho**2 / 2 * trace_gradient(objective, w)
    assert np.abs(slope).max() < 2e-6


@each_shape
def test_no_sweep_raises_the_expected_loss(shape):
    model, w, batch = observed(shape, weighted=True)
    objective = objective_of(model, batch, alpha=0.2)
    alternation, losses = objective.capability(LeastSquares).alternation(0.3), [np.inf]
    for _ in range(30):
        losses.append(alternation.sweep(w))
        assert losses[-1] == pytest.approx(expected_loss(objective, w, 0.3), rel=1e-12)
    assert (np.diff(losses) <= 1e-14).all()


@each_shape
@each_weighting
def test_every_response_is_the_best_one(shape, weighted):
    """The slow twin: the expected loss is quadratic in one kind, so a Newton step minimises it."""
    model, w, batch = observed(shape, weighted)
    objective = objective_of(model, batch, alpha=0.2)
    alternation = objective.capability(LeastSquares).alternation(0.3)
    for c in range(model.n_kinds):
        moved = w.copy()
        alternation.respond(moved, c)
        places = np.concatenate(
            [
                np.arange(part.start, part.stop)
                for name, part in model.layout.slices.items()
                if name.endswith(f"_{c}")
            ]
        )

        def slope(w):
            return objective.loss_gradient(w)[1] + 0.3**2 / 2 * trace_gradient(objective, w)

        columns = [slope(w + e)[places] - slope(w)[places] for e in np.eye(len(w))[places]]
        twin = w.copy()
        twin[places] -= np.linalg.lstsq(np.column_stack(columns), slope(w)[places])[0]
        assert_allclose(moved, twin, atol=1e-9)


def test_alternation_and_the_quasi_newton_method_find_the_same_ridge():
    """With one component and a heavy penalty there is one minimum up to signs."""
    model, w, batch = observed("matrix", weighted=True)
    objective = objective_of(model, batch, alpha=2.0)
    ends = [
        minimize(solver, objective, w, Settings(max_iter=20000, max_fun=40000, tol=tol))[0]
        for solver, tol in ((ALS(), 1e-15), (LBFGS(), 1e-10))
    ]
    assert_allclose(*(objective.loss(w) for w in ends), rtol=1e-9)
    assert_allclose(*(model.scores(w, batch.X) for w in ends), atol=1e-4)


def test_noise_alone_shrinks_the_singular_values_of_a_full_matrix():
    """The expected loss of the sum: the nuclear norm with weight ``2 rho^2 sqrt(m n)``."""
    rng = np.random.default_rng(0)
    M, rho = rng.normal(size=(6, 5)), 0.5
    objective = full(M, 5)
    w, _ = minimize(
        ALS(), objective, rng.normal(size=55), Settings(rho=rho, max_iter=20000, tol=1e-16)
    )
    _, _, (X, Y) = objective.model.split(w)
    u, s, vt = np.linalg.svd(M, full_matrices=False)
    shrunk = np.maximum(s - rho**2 * np.sqrt(30), 0)
    assert 0 < np.count_nonzero(shrunk) < 5
    assert_allclose(X @ Y.T, (u * shrunk) @ vt, atol=1e-5)
    assert_allclose(5 * X.T @ X, 6 * Y.T @ Y, atol=1e-5)


def test_entities_without_observations_keep_their_zeros():
    model, _, batch = observed("matrix")
    rows = (batch.X[:, 0] != 2) & (batch.X[:, 1] != 0)
    batch = Batch(batch.X[rows], batch.y[rows])
    w = model.init(np.random.RandomState(0), batch)
    w, _ = minimize(ALS(), objective_of(model, batch, 0.1), w, Settings(rho=0.1, max_iter=300))
    _, offsets, factors = model.split(w)
    assert not factors[0][2].any()
    assert not factors[1][0].any()
    assert offsets[0][2] == offsets[1][0] == 0


@pytest.mark.parametrize("rho", [0.0, 1e-12])
def test_without_any_penalty_the_shortest_solution_is_taken(rho):
    """More components than observations: the normal equations are singular."""
    X, y = np.array([[0, 0], [1, 1], [0, 1]]), np.array([[1.0], [2.0], [3.0]])
    objective = Objective(Factorization((2, 2), 4, False), HalfSquared(), X, y)
    w = objective.model.init(np.random.RandomState(0), objective.data)
    w, _ = minimize(ALS(), objective, w, Settings(rho=rho, max_iter=100))
    assert objective.loss(w) < 1e-20


def test_als_refuses_what_it_cannot_minimise():
    objective = Objective(MLP([2, 1]), HalfSquared(), np.ones((3, 2)), np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"ALS.*this MLP has none"):
        minimize(ALS(), objective, np.zeros(3))


# Layout


def test_parameters_are_split_and_joined():
    for shape in SHAPES:
        model, w, _ = observed(shape)
        assert_array_equal(model.join(*model.split(w)), w)


def test_a_padded_model_scores_the_same_and_0_for_what_is_unseen():
    model, w, batch = observed("three kinds")
    wide, there = model.padded(w)
    assert_array_equal(wide.scores(there, batch.X), model.scores(w, batch.X))
    intercept, offsets, _ = model.split(w)
    unseen = wide.scores(there, np.array([[-1, -1, -1], [-1, 2, -1]]))[:, 0]
    assert_allclose(unseen, [intercept[0], intercept[0] + offsets[1][2]])


def test_unseen_entries_are_not_among_the_rows():
    model, _, batch = observed("matrix", n=12)
    entries = objective_of(model, batch).capability(Entries)
    drawn = entries.unseen(5, np.random.default_rng(0))
    seen = set(map(tuple, batch.X.tolist()))
    assert drawn.shape == (5, 2)
    assert not any(tuple(entry) in seen for entry in drawn.tolist())


def test_of_a_full_matrix_entries_are_drawn_all_the_same():
    entries = full(np.ones((2, 2)), 1).capability(Entries)
    assert entries.unseen(3, np.random.default_rng(0)).shape == (3, 2)

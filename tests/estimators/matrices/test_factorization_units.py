"""The unit of the targets does not change a factorization, and the default penalty is good."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from test_factorization import STOCHASTIC, M, X, Y, matrix, refused
from turns import in_turn

from skflat import FlatMatrixFactorization, FlatMatrixImputer
from skflat.estimators.matrices._alpha import entries_held_out
from skflat.estimators.matrices._target_unit import unit_of
from skflat.models.factorization import Factorization
from skflat.objective import HalfSquared, Objective

SMALL = {"random_state": 0, "measures": None}
UNITS = [1e-150, 1e-6, 0.1, 3.0, 1e6, 1e150]
each_unit = pytest.mark.parametrize("unit", UNITS)

pytestmark = pytest.mark.filterwarnings("ignore:als did not", "ignore:lbfgs", "ignore:Stochastic")


def fitted(X, y=None, **params):
    return FlatMatrixFactorization(**{"n_components": 3} | SMALL | params).fit(X, y)


# --- the same model in every unit ---


@each_unit
def test_ratings_have_the_same_model_in_every_unit(unit):
    once, scaled = fitted(X, Y), fitted(X, unit * Y)
    assert_allclose(scaled.predict(X), unit * once.predict(X), rtol=1e-8)
    for one, other in zip(once.offsets_, scaled.offsets_, strict=True):
        assert_allclose(other, unit * one, rtol=1e-8, atol=1e-10 * unit)
    for one, other in zip(once.factors_, scaled.factors_, strict=True):
        assert_allclose(other, np.sqrt(unit) * one, rtol=1e-8, atol=1e-10 * np.sqrt(unit))
    assert scaled.scale_ == pytest.approx(unit * once.scale_)
    assert scaled.rho_ == pytest.approx(np.sqrt(unit) * once.rho_)
    assert (scaled.alpha_, scaled.n_iter_) == (once.alpha_, once.n_iter_)
    assert_allclose(scaled.loss_curve_, unit**2 * np.array(once.loss_curve_))
    assert scaled.score(X, unit * Y) == pytest.approx(once.score(X, Y), abs=1e-9)


@each_unit
def test_matrices_and_new_rows_too(unit):
    once, scaled = fitted(matrix()), fitted(unit * matrix())
    whole = once.inverse_transform(once.transform(matrix()))
    found = scaled.inverse_transform(scaled.transform(unit * matrix()))
    assert_allclose(found, unit * whole, rtol=1e-8)


@each_unit
@pytest.mark.parametrize("params", [{"fit_offsets": False}, {"alpha": 3.0}, {"balance": "trace"}])
def test_with_numbers_that_are_given_too(unit, params):
    once, scaled = fitted(X, Y, **params), fitted(X, unit * Y, **params)
    assert_allclose(scaled.predict(X), unit * once.predict(X), rtol=1e-8)


@each_unit
@pytest.mark.parametrize("n_kinds", [1, 3])
def test_any_number_of_columns_too(unit, n_kinds):
    codes = np.column_stack([X, np.arange(len(X)) % 4])[:, :n_kinds]
    once, scaled = fitted(codes, Y), fitted(codes, unit * Y)
    assert_allclose(scaled.predict(codes), unit * once.predict(codes), rtol=1e-8)


@pytest.mark.parametrize(("solver", "unit"), in_turn(2, ["lbfgs", *STOCHASTIC], [1e-6, 1e6]))
def test_every_solver_too(solver, unit):
    once, scaled = (fitted(X, y, solver=solver, max_iter=20) for y in (Y, unit * Y))
    assert_allclose(scaled.predict(X), unit * once.predict(X), rtol=1e-8)
    assert scaled.rho_ == pytest.approx(np.sqrt(unit) * once.rho_)


@pytest.mark.parametrize("solver", ["adam", "swa", "replicated_sgd"])
def test_streams_and_early_stopping_too(solver):
    few = {"solver": solver, "early_stopping": True, "batch_size": 20, "learning_rate_init": 0.05}
    once, scaled = (FlatMatrixFactorization(3, **few, **SMALL) for _ in range(2))
    for _ in range(5):
        for rows in np.array_split(np.arange(len(Y)), 3):
            once.partial_fit(X[rows], Y[rows])
            scaled.partial_fit(X[rows], 1e-6 * Y[rows])
    assert_allclose(scaled.predict(X), 1e-6 * once.predict(X), rtol=1e-8)
    assert_allclose(scaled.validation_scores_, once.validation_scores_, rtol=1e-8)
    losses = np.array(once.validation_loss_curve_)
    assert_allclose(scaled.validation_loss_curve_, 1e-12 * losses, rtol=1e-8)


@pytest.mark.parametrize("unit", [1e-15, 1e-6, 1e6, 1e15])
def test_in_single_precision_to_its_digits(unit):
    once, scaled = fitted(X, Y), fitted(X, (unit * Y).astype(np.float32))
    assert scaled.predict(X).dtype == np.float32
    assert_allclose(scaled.predict(X) / np.float32(unit), once.predict(X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("unit", [1e-150, 1e6])
def test_imputed_tables_have_the_unit_of_their_columns(unit):
    plain = FlatMatrixImputer(3, random_state=0).fit_transform(matrix())
    units = unit ** np.linspace(0.5, 1, M.shape[1])
    found = FlatMatrixImputer(3, random_state=0).fit_transform(matrix() * units)
    assert_allclose(found / units, plain, rtol=1e-8)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_what_is_measured_is_in_the_users_unit(unit):
    once, scaled = fitted(X, Y, measures=["sharpness"]), fitted(X, unit * Y, measures=["weakness"])
    weight = np.bincount(X[:, 0]), np.bincount(X[:, 1])
    squares = sum(n @ (F**2).sum(axis=1) for n, F in zip(weight, once.factors_, strict=True))
    assert once.sharpness_ == pytest.approx(3 + squares / len(Y))
    measured = scaled.set_params(measures=["sharpness"]).measure(X, unit * Y)["sharpness"]
    assert measured.value - 3 == pytest.approx(unit * (once.sharpness_ - 3), rel=1e-5)


def test_the_loss_is_the_one_that_is_written_down():
    model = fitted(X, 7 * Y, alpha=0.3, alpha_offsets=0.6, rho=0.0, solver="lbfgs")
    squares = ((7 * Y - model.predict(X)) ** 2).sum()
    squares += model.scale_ * 0.3 * sum((F**2).sum() for F in model.factors_)
    squares += 0.6 * sum((b**2).sum() for b in model.offsets_)
    assert model.loss_ == pytest.approx(squares / (2 * len(Y)))
    sweeps = fitted(X, 7 * Y, alpha=0.3, alpha_offsets=0.6, rho=0.0, tol=1e-12, max_iter=5000)
    assert sweeps.loss_ == pytest.approx(model.loss_, rel=1e-2)


def test_a_stream_goes_on_to_the_bit_and_from_where_users_put_it():
    model = FlatMatrixFactorization(3, solver="adam", **SMALL).partial_fit(X, 7 * Y)
    trained = model._trained
    assert_array_equal(model._in_own_unit()[1], trained)
    model.factors_[0] = 2 * model.factors_[0]
    _, moved = model._in_own_unit()
    start = 1 + 30 + 20
    assert_allclose(moved[start : start + 90], 2 * trained[start : start + 90])


# --- the unit ---


def test_the_unit_is_what_offsets_leave_over():
    rng = np.random.default_rng(0)
    codes = rng.integers([40, 30], size=(2000, 2))
    noise = rng.normal(size=2000)
    far = noise + 5 * codes[:, 0] - 3 * codes[:, 1]
    assert unit_of(codes, far) == pytest.approx(1, abs=0.2)
    assert unit_of(codes, noise) == pytest.approx(1, abs=0.05)
    assert unit_of(codes, far, fit_offsets=False) == pytest.approx(np.sqrt(np.mean(far**2)))


def test_of_observations_alone_offsets_say_nothing():
    codes = np.column_stack([np.arange(300), np.arange(300)])
    y = np.random.default_rng(0).normal(size=300)
    assert unit_of(codes, y) == pytest.approx(y.std(), rel=0.1)


def test_left_out_is_left_out():
    """Of one kind the residuals are those of ridge regressions on all other values."""
    rng = np.random.default_rng(0)
    codes, y = rng.integers(5, size=(30, 1)), rng.normal(size=30)
    y -= y.mean()
    left = []
    for i in range(30):
        others = (codes[:, 0] == codes[i, 0]) & (np.arange(30) != i)
        left.append(y[i] - y[others].sum() / (others.sum() + 0.3))
    assert unit_of(codes, y) == pytest.approx(np.sqrt(np.mean(np.square(left))), rel=1e-3)


def test_weights_are_repetitions_and_order_is_nothing():
    weight = np.random.default_rng(0).integers(1, 4, size=len(Y))
    repeated = unit_of(np.repeat(X, weight, axis=0), np.repeat(Y, weight))
    assert unit_of(X, Y, weight) == pytest.approx(repeated)
    assert unit_of(X[::-1], Y[::-1]) == pytest.approx(unit_of(X, Y))
    assert np.isfinite(unit_of(X, Y, 1e-3 * weight))


@pytest.mark.parametrize(("y", "unit"), [([0.0, 0], 1), ([0.1, 0.1], 0.1), ([1e-310] * 2, None)])
def test_of_constants_the_unit_is_their_size(y, unit):
    found = unit_of(np.array([[0, 0], [1, 1]]), np.array(y))
    assert found == (np.finfo(float).tiny if unit is None else unit)


@pytest.mark.parametrize(("unit", "dtype"), [(1e160, np.float64), (1e25, np.float32)])
def test_what_has_no_finite_square_is_refused(unit, dtype):
    with refused("values of y deviate by .*may contain large values"):
        fitted(X, (unit * Y).astype(dtype))


def test_noise_far_above_tiny_targets_leaves_nothing_of_factors():
    model = fitted(X, 1e-170 * Y, rho=0.1)
    assert np.abs(model.factors_[0]).max() < 1e-100
    assert np.isfinite(model.loss_)
    assert model.rho_ == 0.1


def test_a_radius_may_be_of_single_precision():
    model = fitted(X, Y, rho=np.float32(0.25))
    assert_array_equal(model.factors_[0], fitted(X, Y, rho=0.25).factors_[0])


# --- the penalty ---


def ratings(noise, seed=0, m=150, n=80, rank=2, size=5000):
    rng = np.random.default_rng(seed)
    codes = rng.integers([m, n], size=(size, 2))
    left, right = rng.normal(size=(m, rank)), rng.normal(size=(n, rank))
    values = (left[codes[:, 0]] * right[codes[:, 1]]).sum(axis=1) / np.sqrt(rank)
    return codes, 4 + rng.normal(size=m)[codes[:, 0]] + values + noise * rng.normal(size=size)


@pytest.mark.parametrize("noise", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("solver", ["als", "lbfgs"])
def test_the_penalty_chosen_is_nearly_the_best(noise, solver):
    codes, y = ratings(noise)
    X_train, X_test, y_train, y_test = train_test_split(codes, y, random_state=0)
    errors = {}
    for alpha in ("auto", 0.01, 0.1, 1.0, 10.0, 100.0):
        model = fitted(X_train, y_train, alpha=alpha, solver=solver, n_components=10, max_iter=100)
        errors[alpha] = np.mean((model.predict(X_test) - y_test) ** 2)
    assert errors.pop("auto") < 1.05 * min(errors.values())


def test_the_order_of_observations_and_their_repetition_do_not_choose():
    codes, y = ratings(2.0)
    order = np.random.default_rng(0).permutation(len(y))
    alphas = [
        fitted(codes, y).alpha_,
        fitted(codes[order], y[order]).alpha_,
        fitted(np.repeat(codes, 2, axis=0), np.repeat(y, 2)).alpha_ / 2,
    ]
    assert alphas[0] == alphas[1]
    assert 0.1 <= alphas[2] / alphas[0] <= 4


def test_entries_are_held_out_whole():
    codes = np.random.default_rng(0).integers([50, 40], size=(20000, 2))
    held_out = entries_held_out(codes, (50, 40), np.random.default_rng(1))
    assert held_out.mean() == pytest.approx(0.1, abs=0.02)
    places = codes[:, 0] * 40 + codes[:, 1]
    assert not set(places[held_out]) & set(places[~held_out])


def test_few_observations_choose_nothing():
    assert fitted(X[:50], Y[:50]).alpha_ == 1.0
    assert fitted(X[:, :1], Y).alpha_ == 1.0
    assert FlatMatrixFactorization(2, solver="sgd", **SMALL).partial_fit(X, Y).alpha_ == 1.0


def test_a_warm_start_keeps_what_was_chosen():
    codes, y = ratings(3.0)
    model = FlatMatrixFactorization(3, warm_start=True, **SMALL).fit(codes, y)
    alpha, scale = model.alpha_, model.scale_
    model.fit(X, Y)
    assert (model.alpha_, model.scale_) == (alpha, scale)
    assert model.set_params(alpha=0.5).fit(X, Y).alpha_ == 0.5


def test_offsets_are_not_shrunk_by_what_is_meant_for_factors():
    rows = np.random.default_rng(0).normal(size=30)
    y = rows[X[:, 0]]
    gentle, strict = (fitted(X, y, alpha=alpha, alpha_offsets=1e-6) for alpha in (0.0, 1e6))
    for model in (gentle, strict):
        assert_allclose(model.predict(X), y, atol=1e-3)
    assert np.abs(strict.factors_[0]).max() < 1e-3


def test_batches_share_the_penalty_of_all_rows():
    """The mean gradient of the batches of an epoch is the gradient."""
    rng = np.random.default_rng(0)
    model = Factorization((30, 20), 3)
    weight = rng.uniform(0.5, 2, size=len(Y))
    for each in (None, weight):
        objective = Objective(model, HalfSquared(), X, Y[:, None], each, (0.7, 3.0))
        w, total = rng.normal(size=model.layout.size), objective.data.total_weight
        parts = np.array_split(np.arange(len(Y)), 7)
        shares = [objective.batch(rows).total_weight / total for rows in parts]
        gradients = [objective.loss_gradient(w, objective.batch(rows))[1] for rows in parts]
        assert_allclose(
            np.average(gradients, axis=0, weights=shares), objective.loss_gradient(w)[1]
        )


# --- no better than a constant ---

NOTHING = "ended no better than the best constant prediction"


@pytest.mark.parametrize(
    ("params", "advice"),
    [
        ({"fit_offsets": False, "alpha": 100.0}, "fit_offsets=True"),
        ({"fit_offsets": False, "rho": 30.0}, "rho=30"),
        ({"alpha": 1e6, "alpha_offsets": 1e12}, "alpha=1e.06"),
        ({"solver": "sgd", "learning_rate_init": 1e-9, "fit_offsets": False}, "learning_rate_init"),
    ],
)
@pytest.mark.parametrize("table", [(X, Y), (matrix(), None)])
def test_a_fit_that_found_nothing_says_so_and_what_to_try(params, advice, table):
    with pytest.warns(ConvergenceWarning, match=f"{NOTHING}.*{advice}"):
        fitted(*table, **params)


def test_the_comparison_is_weighted():
    y, weight = np.where(X[:, 0] < 15, 5.0, Y), np.where(X[:, 0] < 15, 1e6, 1.0)
    with pytest.warns(ConvergenceWarning, match=NOTHING):
        fitted(X, y, fit_offsets=False, alpha=1e9).fit(X, y, weight)


def test_an_imputer_that_found_nothing_says_so():
    noise = np.random.default_rng(0).normal(size=(50, 4))
    noise[::7, 2] = np.nan
    with pytest.warns(ConvergenceWarning, match=NOTHING):
        FlatMatrixImputer(alpha=1e6, alpha_offsets=1e12, random_state=0).fit(noise)


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("y", [Y, 1e-9 * Y, np.full(len(Y), 0.1), np.zeros(len(Y))])
def test_a_fit_that_found_something_says_nothing(y):
    fitted(X, y)
    FlatMatrixImputer(3, random_state=0).fit(matrix(y=y))

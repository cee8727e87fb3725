"""``rho="auto"`` is the published number in the units of the data."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.preprocessing import scale
from turns import in_turn

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.models.mlp import MLP
from skflat.objective import HalfPoisson, HalfSquared, Objective
from skflat.solvers import SOLVERS, Chain, Noise

# A few epochs say what the radius is.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True)
X, T = load_diabetes(return_X_y=True)
X, T = scale(X), scale(T)
# Of the wide neighbourhoods the pull is not felt at first, and noise on labels is not on weights.
BY_SIZE = {
    "auto",
    "sam",
    "asam",
    "gsam",
    "msam",
    "friendly_sam",
    "functional_sam",
    "saner",
    "chain",
    "rsp",
    "sap",
    "noise",
    "one_sided_noise",
    "trace",
}
AS_IT_IS = {"entropy", "entropy_sgd", "replicated_sgd", "label_noise"}
FEW = {"hidden_layer_sizes": (5,), "max_iter": 1, "measures": None, "random_state": 0}


def classified(X, y=SPECIES, sample_weight=None, **params):
    return FlatMLPClassifier(**FEW | params).fit(X, y, sample_weight)


def regressed(X, y, sample_weight=None, **params):
    return FlatMLPRegressor(**FEW | params).fit(X, y, sample_weight)


def size_of(features):
    """Root mean square of the largest feature."""
    return np.sqrt(np.mean(features**2, axis=0)).max()


def heavy_tailed(shape, seed=0):
    return np.random.default_rng(seed).lognormal(sigma=2, size=shape)


# --- features ---


@pytest.mark.parametrize(
    "features",
    [
        scale(IRIS),
        scale(IRIS) * (1 + 2e-10),
        scale(IRIS)[:40] * 1.2,
        scale(IRIS) * 1e-3,
        np.eye(3)[SPECIES],
        sparse.csr_matrix(np.eye(3)[SPECIES]),
        scale(IRIS).astype(np.float32),
    ],
    ids=["scaled", "rounded", "a part", "small", "one-hot", "sparse", "float32"],
)
def test_with_features_of_size_1_and_less_it_is_the_published_number(features):
    clf = classified(features, SPECIES if features.shape[0] == 150 else np.arange(40) % 2)
    assert clf.rho_ == 0.05


def test_pixels_keep_the_published_number():
    pixels, digits = load_digits(return_X_y=True)
    assert classified(pixels / 16, digits).rho_ == 0.05


@pytest.mark.parametrize("factor", [10.0, 1e3, 1e13])
def test_it_falls_with_the_square_of_the_largest_features_size(factor):
    unit = (2 / size_of(IRIS * factor)) ** 2
    assert classified(IRIS * factor).rho_ == pytest.approx(0.05 * unit, rel=1e-12)


@pytest.mark.parametrize("factor", [1e2, 1e13])
def test_one_large_feature_counts(factor):
    """No weight may move by more than what the radius is to a feature of size 1."""
    features = scale(IRIS)
    features[:, 2] *= factor
    assert classified(features).rho_ == pytest.approx(0.05 * (2 / factor) ** 2, rel=1e-12)


def test_it_does_not_jump():
    features = scale(IRIS) * (2 + 1e-9)
    assert 0.05 * (1 - 3e-9) < classified(features).rho_ < 0.05


def test_a_heavy_tail_counts_by_its_mean_square():
    features = heavy_tailed((150, 4))
    assert classified(features).rho_ == pytest.approx(0.05 * (2 / size_of(features)) ** 2)


def test_sparse_and_dense_features_have_the_same_size():
    features = heavy_tailed((150, 4)) * (np.arange(4) > 1)
    dense, thin = (classified(kind(features)).rho_ for kind in (np.asarray, sparse.csr_matrix))
    assert thin == pytest.approx(dense, rel=1e-14)


def test_rows_count_by_their_weights():
    features, weight = heavy_tailed((150, 4)), np.arange(150) % 3
    weighed = classified(features, sample_weight=weight)
    repeated = classified(*(np.repeat(array, weight, axis=0) for array in (features, SPECIES)))
    assert weighed.rho_ == pytest.approx(repeated.rho_, rel=1e-12)
    features[weight == 0] *= 1e6
    assert classified(features, sample_weight=weight).rho_ == weighed.rho_


def test_float32_features_are_squared_without_overflow():
    features = (scale(IRIS) * 1e25).astype(np.float32)
    objective = Objective(MLP([4, 3]), HalfSquared(), features, np.ones((150, 3), np.float32))
    assert objective.unit_radius == pytest.approx(4e-50, rel=1e-6)


# --- targets ---


@pytest.mark.parametrize("factor", [0.6, 1 - 1e-10, 1.0, 30.0, 1e6])
def test_with_targets_of_size_1_and_more_it_is_the_published_number(factor):
    assert regressed(X, T * factor).rho_ == 0.05


@pytest.mark.parametrize("factor", [0.1, 1e-6])
def test_small_targets_lower_it(factor):
    assert regressed(X, 3 + T * factor).rho_ == pytest.approx(0.05 * (2 * factor) ** 2, rel=1e-6)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
def test_a_constant_target_leaves_it_alone(constant):
    assert regressed(X, np.full(len(X), constant)).rho_ == 0.05


def test_of_several_targets_the_one_that_varies_most_counts():
    assert regressed(X, np.column_stack([T, T * 1e-3])).rho_ == 0.05
    both = regressed(X, np.column_stack([T * 0.01, T * 1e-3]))
    assert both.rho_ == pytest.approx(0.05 * 0.02**2, rel=1e-12)


def test_the_scores_of_counts_have_no_unit():
    assert regressed(X, np.exp(T) * 1e-3, loss="poisson").rho_ == 0.05
    assert HalfPoisson().in_units_of_target is False


def test_features_and_targets_count_together():
    assert regressed(X * 100, T * 0.1).rho_ == pytest.approx(0.05 * (0.2 / 50) ** 2, rel=1e-12)


# --- solvers ---


def test_every_solver_with_a_radius_is_decided_here():
    with_one = {name for name, solver in SOLVERS.items() if solver().default_rho is not None}
    assert with_one == BY_SIZE | AS_IT_IS


@pytest.mark.parametrize("solver", sorted(BY_SIZE))
def test_radii_in_the_parameters_go_by_the_size(solver):
    there = classified(scale(IRIS) * 1000, solver=solver, learning_rate_init=1e-9)
    assert there.rho_ == pytest.approx(SOLVERS[solver]().default_rho * 4e-6, rel=1e-12)


@pytest.mark.parametrize("solver", sorted(AS_IT_IS))
def test_other_radii_do_not(solver):
    there = classified(scale(IRIS) * 1000, solver=solver, learning_rate_init=1e-9)
    assert there.rho_ == SOLVERS[solver]().default_rho


@pytest.mark.parametrize(
    "solver", ["adam", "sgd", "lbfgs", "ngd", "swa", "ema", "diffusion", "consensus"]
)
def test_without_a_radius_it_is_0(solver):
    assert classified(scale(IRIS), solver=solver).rho_ == 0


@pytest.mark.parametrize("solver", sorted(BY_SIZE))
def test_a_number_is_taken_as_it_is(solver):
    assert classified(IRIS * 100, solver=solver, rho=0.05, learning_rate_init=1e-9).rho_ == 0.05


def test_the_fit_is_that_of_the_number():
    auto = classified(IRIS)
    given = classified(IRIS, rho=auto.rho_)
    for ours, theirs in zip(auto.coefs_, given.coefs_, strict=True):
        assert_array_equal(ours, theirs)


def test_every_stage_of_a_chain_goes_by_the_size():
    raw, unit = IRIS * 2, (2 / size_of(IRIS * 2)) ** 2
    solver = Chain("asam", "sam", switch=0.5)
    auto = classified(raw, solver=solver, max_iter=4)
    assert np.isnan(auto.rho_)
    by_hand = Chain("asam", "sam", switch=0.5, rho=0.05 * unit)
    given = classified(raw, solver=by_hand, rho=0.5 * unit, max_iter=4)
    for ours, theirs in zip(auto.coefs_, given.coefs_, strict=True):
        assert_array_equal(ours, theirs)


def test_partial_fit_keeps_what_the_first_call_decided():
    clf = FlatMLPClassifier(**FEW).partial_fit(IRIS[:75] * 10, SPECIES[:75], classes=[0, 1, 2])
    decided = clf.rho_
    assert clf.partial_fit(IRIS[75:] * 1000, SPECIES[75:]).rho_ == decided
    other = clf.set_params(rho=0.3).partial_fit(IRIS, SPECIES).rho_
    assert (other, clf.set_params(rho="auto").partial_fit(IRIS, SPECIES).rho_) == (0.3, decided)
    assert clf.set_params(warm_start=True).fit(IRIS, SPECIES).rho_ != decided


# --- on raw tables it does what it is for ---


def raw_table(name):
    if name == "diabetes":
        return (FlatMLPRegressor, *load_diabetes(return_X_y=True, scaled=False))
    if name == "houses":  # as skewed as the house prices of California, and as large
        rng = np.random.default_rng(0)
        sizes = [4.3, 31, 5.9, 1.1, 1700, 3.9, 36, 120]
        features = rng.lognormal(sigma=0.5, size=(1000, 8)) * sizes
        income, people = np.log(features[:, [0, 4]]).T
        prices = 2 + income - 0.5 * (people - 7) + 0.5 * rng.normal(size=1000)
        return FlatMLPRegressor, features, prices
    load = {"cancer": load_breast_cancer, "wine": load_wine}[name]
    return (FlatMLPClassifier, *load(return_X_y=True))


@pytest.mark.parametrize(
    ("name", "solver"),
    in_turn(
        4,
        ["diabetes", "cancer", "wine", "houses"],
        ["auto", "sam", "asam", "gsam", Noise(noise="block")],
    ),
    ids=str,
)
def test_the_default_radius_keeps_up_with_adam_on_raw_tables(name, solver):
    network, features, target = raw_table(name)

    def scores(**params):
        fits = [
            network(measures=None, random_state=seed, **params).fit(features, target)
            for seed in range(4)
        ]
        return np.array([fit.score(features, target) for fit in fits])

    behind = scores(solver="adam") - scores(solver=solver)
    noise = behind.std(ddof=1) / 2
    assert behind.mean() < 2.35 * noise + 0.005  # a one-sided t test at 5 %, and half a point


def test_what_it_was_on_raw_tables_was_far_behind():
    network, features, target = raw_table("houses")
    published, auto = (
        network(rho=rho, measures=None, random_state=0).fit(features, target)
        for rho in (0.05, "auto")
    )
    assert published.score(features, target) < auto.score(features, target) - 0.1

"""Data that cannot be fitted raise an error that names the argument and its value."""

import re
import warnings

import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
from sklearn.preprocessing import scale

from skflat import (
    FlatMatrixFactorization,
    FlatMLPClassifier,
    FlatMLPRegressor,
    FlatPerceptronClassifier,
)
from skflat.measures import MEASURES
from skflat.models.mlp import ACTIVATIONS
from skflat.solvers import ASAM, SAM, SGD, SOLVERS, EntropySGD

NETWORKS = [FlatMLPClassifier, FlatMLPRegressor]
STOCHASTIC = [name for name, solver in SOLVERS.items() if solver.stochastic]
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0, "measures": None}

LARGEST = np.finfo(float).max

X, Y = load_iris(return_X_y=True)
X = scale(X)

each_network = pytest.mark.parametrize("network", NETWORKS)
each_solver = pytest.mark.parametrize("solver", SOLVERS)
each_stochastic_solver = pytest.mark.parametrize("solver", STOCHASTIC)
unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def refused(*words):
    """A ValueError whose message has these words in this order."""
    return pytest.raises(ValueError, match="(?s)" + ".*".join(map(re.escape, words)))


def with_entry(array, value):
    array = np.array(array, dtype=float)
    array.flat[3] = value
    return array


def is_finite(network):
    return all(np.isfinite(array).all() for array in network.coefs_ + network.intercepts_)


# --- data ---


@each_network
@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_inputs_that_are_not_finite_are_refused(network, value, word):
    with refused("Input X contains", word):
        network(**SMALL).fit(with_entry(X, value), Y)


@pytest.mark.parametrize(("value", "word"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_targets_that_are_not_finite_are_refused(value, word):
    with refused("Input y contains", word):
        FlatMLPRegressor(**SMALL).fit(X, with_entry(Y, value))


@each_network
def test_data_without_rows_or_columns_are_refused(network):
    with refused("Found array with 0 sample(s)"):
        network(**SMALL).fit(np.empty((0, 4)), [])
    with refused("0 feature(s)"):
        network(**SMALL).fit(np.empty((10, 0)), np.arange(10) % 2)


@each_network
def test_inputs_and_targets_of_different_length_are_refused(network):
    with refused("inconsistent numbers of samples", "[150, 149]"):
        network(**SMALL).fit(X, Y[1:])


@each_network
@each_solver
@unconverged
@pytest.mark.filterwarnings("ignore:The target is constant:UserWarning")
def test_one_row_can_be_fitted(network, solver):
    few = SMALL | {"measures": ["sharpness", "flatness", "weakness"]}
    net = network(solver=solver, **few).fit(X[:1], Y[:1])
    assert is_finite(net)
    assert net.predict(X[:2]).shape == (2,)
    assert np.isfinite(net.sharpness_)


@each_network
def test_one_row_is_too_few_to_set_some_aside(network):
    with pytest.raises(ValueError, match=r"n_samples=1\b"):
        network(early_stopping=True, **SMALL).fit(X[:1], Y[:1])


@each_network
def test_a_validation_part_of_one_row_is_refused(network):
    with refused("validation set is too small", "validation_fraction=0.1", "10 samples"):
        network(early_stopping=True, **SMALL).fit(X[:10], np.arange(10) % 3)


@each_solver
@unconverged
def test_one_class_is_predicted_everywhere_and_is_infinitely_flat(solver):
    clf = FlatMLPClassifier(solver=solver, **SMALL | {"measures": ["flatness"]})
    with pytest.warns(UserWarning, match="target is constant"):
        clf.fit(X, np.full(len(X), 7))
    assert set(clf.predict(X)) == {7}
    assert clf.flatness_ == np.inf


@each_network
@unconverged
def test_inputs_of_another_width_are_refused_in_prediction(network):
    net = network(**SMALL).fit(X, Y)
    with refused("X has 3 features", "is expecting 4 features"):
        net.predict(X[:, :3])
    with refused("X has 3 features", "is expecting 4 features"):
        net.measure(X[:, :3], Y)
    with refused("X has 5 features", "is expecting 4 features"):
        net.partial_fit(np.column_stack([X, Y]), Y)


@each_network
@pytest.mark.parametrize("method", ["predict", "measure"])
def test_a_network_that_is_not_fitted_says_so(network, method):
    arguments = (X,) if method == "predict" else (X, Y)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(network(), method)(*arguments)


def test_continuous_targets_are_refused_by_a_classifier():
    with refused("Unknown label type"):
        FlatMLPClassifier(**SMALL).fit(X, X[:, 0])


@each_network
@unconverged
def test_a_column_of_targets_is_taken_with_a_warning(network):
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        net = network(**SMALL).fit(X, Y[:, None])
    assert net.predict(X).shape == (len(X),)


def test_negative_targets_are_refused_by_poisson():
    with refused("y must be non-negative, got -2.5"):
        FlatMLPRegressor(loss="poisson", **SMALL).fit(X, with_entry(Y, -2.5))


@each_network
def test_weights_that_mean_nothing_are_refused(network):
    ones = np.ones(len(Y))
    with refused("Negative values in data passed to `sample_weight`"):
        network(**SMALL).fit(X, Y, with_entry(ones, -1))
    with refused("at least one non-zero"):
        network(**SMALL).fit(X, Y, 0 * ones)
    with refused("Input sample_weight contains NaN"):
        network(**SMALL).fit(X, Y, with_entry(ones, np.nan))
    with refused("sample_weight.shape == (149,), expected (150,)"):
        network(**SMALL).fit(X, Y, ones[1:])


@pytest.mark.parametrize(
    ("class_weight", "words"),
    [
        ({0: -1, 1: 1, 2: 1}, "Negative values"),
        ({0: 0, 1: 0, 2: 0}, "at least one non-zero"),
        ({0: 1, 5: 1}, "The classes, [1, 2], are not in class_weight"),
        ("equal", "The 'class_weight' parameter of FlatMLPClassifier"),
    ],
)
def test_class_weights_that_mean_nothing_are_refused(class_weight, words):
    with refused(words):
        FlatMLPClassifier(class_weight=class_weight, **SMALL).fit(X, Y)


@unconverged
def test_classes_are_fixed_by_the_first_call():
    clf = FlatMLPClassifier(**SMALL)
    with refused("classes must be passed on the first call"):
        clf.partial_fit(X, Y)
    clf.partial_fit(X, Y, classes=[0, 1, 2])
    with refused("`y` has classes not in `self.classes_`", "[0 1 2]", "[0 1 2 9]"):
        clf.partial_fit(X, np.r_[9, Y[1:]])
    with refused("`classes=[0, 1]` is not the same as on last call"):
        clf.partial_fit(X, Y, classes=[0, 1])
    with refused("warm_start", "Previously got [0 1 2], `y` has [0 1]"):
        clf.set_params(warm_start=True).fit(X, Y % 2)


# --- validation data ---


def validated_by(network, *validation_data):
    network(early_stopping=True, **SMALL).fit(X, Y, validation_data=validation_data)


@each_network
@pytest.mark.parametrize(
    ("validation_data", "got"), [(X, "ndarray"), ((X,), "tuple"), ("ab", "str"), (0.1, "float")]
)
def test_validation_data_that_are_no_pair_are_refused(network, validation_data, got):
    with refused("validation_data must be a pair (X_val, y_val), got", got):
        network(**SMALL).fit(X, Y, validation_data=validation_data)


@each_network
def test_half_a_pair_of_validation_data_is_refused(network):
    with refused("X_val is provided, but y_val was not provided"):
        network(**SMALL).fit(X, Y, X_val=X)
    with refused("y_val is provided, but X_val was not provided"):
        network(**SMALL).fit(X, Y, y_val=Y)
    with refused("Give validation_data or X_val and y_val, not both"):
        network(**SMALL).fit(X, Y, validation_data=(X, Y), X_val=X, y_val=Y)


@each_network
def test_validation_inputs_are_checked_like_the_training_inputs(network):
    with refused("X has 3 features", "is expecting 4 features"):
        validated_by(network, X[:, :3], Y)
    with refused("Input X contains NaN"):
        validated_by(network, with_entry(X, np.nan), Y)
    with refused("0 sample(s)"):
        validated_by(network, X[:0], Y[:0])


@each_network
@pytest.mark.parametrize("n", [1, 149])
def test_validation_inputs_and_targets_of_different_length_are_refused(network, n):
    with refused("inconsistent numbers of samples", f"[150, {n}]"):
        validated_by(network, X, Y[:n])


def test_validation_targets_that_are_not_finite_are_refused():
    with refused("Input y contains NaN"):
        validated_by(FlatMLPRegressor, X, with_entry(Y, np.nan))


@each_network
def test_validation_targets_of_another_shape_are_refused(network):
    with refused("y_val", "(150, 2)"):
        validated_by(network, X, np.column_stack([Y, Y]) % 2)


def test_validation_targets_of_an_unknown_class_are_refused():
    with refused("y has classes", "[0 1 2]"):
        validated_by(FlatMLPClassifier, X, np.full(len(Y), 3))


def test_negative_validation_targets_are_refused_by_poisson():
    reg = FlatMLPRegressor(loss="poisson", **SMALL)
    with refused("y must be non-negative, got -2.5"):
        reg.fit(X, Y, validation_data=(X, with_entry(Y, -2.5)))


@each_network
@each_stochastic_solver
@unconverged
def test_predictions_that_overflow_on_validation_rows_score_nan_and_are_never_best(network, solver):
    far_away = 1.7e308 * np.array([[1, -1, 1, -1], [-1, 1, -1, 1]])
    net = network(solver=solver, early_stopping=True, **SMALL)
    net.fit(X, Y, validation_data=(far_away, [0, 1]))
    assert np.isnan(net.validation_scores_).all()
    assert net.best_validation_score_ == -np.inf
    alone = network(solver=solver, **SMALL).fit(X, Y)
    np.testing.assert_array_equal(net.coefs_[0], alone.coefs_[0])


# --- parameters ---


@each_network
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rho", -0.1),
        ("rho", "large"),
        ("rho", np.nan),
        ("solver", "nadam"),
        ("solver", 3),
        ("solver", None),
        ("measures", 3),
        ("measures", "sharpness"),
        ("measure_max_samples", 0),
        ("hidden_layer_sizes", 0),
        ("hidden_layer_sizes", 2.5),
        ("activation", "softplus"),
        ("alpha", -1),
        ("batch_size", 0),
        ("batch_size", "all"),
        ("learning_rate", "cyclic"),
        ("learning_rate", None),
        ("learning_rate_init", 0),
        ("power_t", -1),
        ("warmup", -0.1),
        ("warmup", 1),
        ("warmup", "long"),
        ("weight_decay", -0.1),
        ("weight_decay", np.nan),
        ("weight_decay", None),
        ("max_iter", 0),
        ("random_state", "seed"),
        ("tol", -1),
        ("momentum", 2),
        ("validation_fraction", 1),
        ("beta_1", 1),
        ("beta_2", 1),
        ("epsilon", 0),
        ("n_iter_no_change", 0),
        ("max_fun", 0),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_name(network, name, value):
    with refused(f"The '{name}' parameter of {network.__name__} must be", f"Got {value!r}"):
        network(**SMALL | {name: value}).fit(X, Y)


@each_network
def test_a_solver_is_an_instance_and_not_a_class(network):
    with refused("The 'solver' parameter of", "Got <class 'skflat.solvers.SAM'>"):
        network(**SMALL, solver=SAM).fit(X, Y)


@each_network
@pytest.mark.parametrize("solver", ["nadam", 3, SAM])
def test_partial_fit_refuses_what_is_no_solver(network, solver):
    net = network(**SMALL, solver=solver)
    classes = {"classes": [0, 1, 2]} if network is FlatMLPClassifier else {}
    with refused("The 'solver' parameter of", "Got"):
        net.partial_fit(X, Y, **classes)


@each_network
@pytest.mark.parametrize("measures", [["sharpnes"], ["flatness", None], ("weakness", 3)])
def test_unknown_measures_are_refused_by_name(network, measures):
    with refused("measures must be None or", str(sorted(MEASURES)), str(measures)):
        network(**SMALL | {"measures": measures}).fit(X, Y)


@each_network
@pytest.mark.parametrize("sizes", [(0,), (5, 0), [5, -1], [2.5], ["5"], [[5]]])
def test_layers_have_a_whole_number_of_units(network, sizes):
    with refused("hidden_layer_sizes must be", f"got {list(sizes)}"):
        network(**SMALL | {"hidden_layer_sizes": sizes}).fit(X, Y)


@pytest.mark.parametrize(
    ("solver", "name", "value"),
    [
        (SAM(m=0), "m", 0),
        (SAM(start=2), "start", 2),
        (SAM(base="adamw"), "base", "adamw"),
        (SAM(interval=0), "interval", 0),
        (SAM(reuse=-1), "reuse", -1),
        (SAM(ascent_steps=0), "ascent_steps", 0),
        (SAM(normalize="yes"), "normalize", "yes"),
        (ASAM(m=2.5), "m", 2.5),
    ],
    ids=repr,
)
@pytest.mark.parametrize("rho", [0.0, 0.1])
def test_a_bad_parameter_of_a_solver_object_is_refused_by_name(solver, name, value, rho):
    whose = type(solver).__name__
    with refused(f"The '{name}' parameter of {whose} must be", f"Got {value!r}"):
        FlatMLPClassifier(solver=solver, rho=rho, **SMALL).fit(X, Y)


@each_network
@each_stochastic_solver
@unconverged
def test_a_batch_larger_than_the_data_is_clipped_with_a_warning(network, solver):
    clipped = network(solver=solver, batch_size=151, **SMALL)
    with pytest.warns(UserWarning, match=r"clipped: batch_size=151, sample size 150"):
        clipped.fit(X, Y)
    whole = network(solver=solver, batch_size=150, **SMALL).fit(X, Y)
    np.testing.assert_array_equal(clipped.coefs_[0], whole.coefs_[0])


# --- divergence ---


@each_network
@each_stochastic_solver
def test_divergence_is_an_error_that_names_the_rate(network, solver):
    net = network(solver=solver, learning_rate_init=1e200, **SMALL)
    with refused("non-finite parameter weights", "learning_rate_init=1e+200 is too large"):
        net.fit(X, Y)
    assert not hasattr(net, "coefs_")


@each_network
@each_stochastic_solver
def test_divergence_is_an_error_in_partial_fit_too(network, solver):
    net = network(solver=solver, learning_rate_init=1e200, **SMALL)
    classes = {"classes": [0, 1, 2]} if network is FlatMLPClassifier else {}
    with refused("non-finite parameter weights", "learning_rate_init=1e+200 is too large"):
        net.partial_fit(X, Y, **classes)


class CountedTanh:
    """An activation that knows how often it was asked."""

    n_calls = 0

    def __call__(self, z):
        self.n_calls += 1
        return anp.tanh(z)


@each_stochastic_solver
def test_divergence_stops_training_at_once(solver):
    """Within a few steps; one step of Entropy-SGD is 20 by default."""
    solver = EntropySGD(n_inner=3) if solver == "entropy_sgd" else solver
    tanh = CountedTanh()
    reg = FlatMLPRegressor(activation=tanh, solver=solver, **SMALL)
    with refused("non-finite parameter weights"):
        reg.set_params(batch_size=1, learning_rate_init=1e200).fit(X, Y)
    assert tanh.n_calls < 20 < len(X)


@each_solver
def test_inputs_too_large_to_square_their_errors_are_refused(solver):
    with refused("non-finite parameter weights", "may contain large values"):
        FlatMLPRegressor(solver=solver, **SMALL).fit(X * 1e300, Y)


@pytest.mark.parametrize("solver", [SGD(), SAM("sgd"), ASAM("sgd")], ids=repr)
def test_divergence_under_early_stopping_keeps_the_best_finite_parameters(solver):
    reg = FlatMLPRegressor(solver=solver, learning_rate_init=1.0, early_stopping=True, **SMALL)
    with pytest.warns(ConvergenceWarning, match="diverged.*learning_rate_init than 1.0"):
        reg.set_params(max_iter=100, activation="identity").fit(X, Y, validation_data=(X, Y))
    assert reg.n_iter_ < 100
    assert is_finite(reg)
    assert reg.score(X, Y) == reg.best_validation_score_ == max(reg.validation_scores_)


@unconverged
def test_a_loss_that_overflows_after_the_last_step_is_told():
    few = SMALL | {"measures": ["flatness"]}
    reg = FlatMLPRegressor(solver="sgd", **few)
    with pytest.warns(UserWarning, match="The loss at the fitted parameters is inf"):
        reg.fit([[51.0], [-722018.0]], [0, 1])
    assert np.isfinite(reg.loss_)
    assert np.isnan(reg.flatness_)
    assert not reg.measurements_["flatness"].converged


# --- anything finite ---


def fit_or_refuse(net, X, y):
    """Fit, with warnings that tell of it allowed; False where the data are refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The target is constant")
        try:
            net.fit(X, y)
        except ValueError:
            return False
    return True


def finite(n_columns, bound=LARGEST):
    shape = st.tuples(st.integers(2, 6), n_columns)
    return arrays(float, shape, elements=st.floats(-bound, bound))


each_name = st.sampled_from(sorted(SOLVERS))
reproducible = settings(deadline=None, derandomize=True, database=None)


@given(finite(st.integers(1, 3)), st.sampled_from(NETWORKS), each_name)
@settings(reproducible, max_examples=60)
def test_any_finite_inputs_are_fitted_by_finite_parameters_or_refused(inputs, network, solver):
    net = network(solver=solver, **SMALL)
    if fit_or_refuse(net, inputs, np.arange(len(inputs)) % 2):
        assert is_finite(net)
        assert np.isfinite(net.loss_)


@given(finite(st.integers(2, 3)), each_name)
@settings(reproducible, max_examples=30)
def test_any_finite_targets_are_fitted_by_finite_parameters_or_refused(targets, solver):
    net = FlatMLPRegressor(solver=solver, **SMALL)
    if fit_or_refuse(net, X[: len(targets)], targets):
        assert is_finite(net)
        assert np.isfinite(net.loss_)


@given(finite(st.integers(1, 3), bound=100), st.sampled_from(NETWORKS), each_name)
@settings(reproducible, max_examples=40)
def test_any_inputs_of_usual_size_are_measured(inputs, network, solver):
    net = network(solver=solver, **SMALL | {"measures": ["sharpness", "flatness", "weakness"]})
    assert fit_or_refuse(net, inputs, np.arange(len(inputs)) % 3)
    assert np.isfinite(net.sharpness_)
    assert net.flatness_ > 0
    assert 0 <= net.weakness_ <= 1


options = st.fixed_dictionaries(
    {
        "activation": st.sampled_from(sorted(ACTIVATIONS)),
        "learning_rate": st.just("cosine"),
        "warmup": st.floats(0, 1, exclude_max=True),
        "weight_decay": st.floats(0, 100),
    }
)


@given(finite(st.integers(1, 3)), st.sampled_from(NETWORKS), each_name, options)
@settings(reproducible, max_examples=60)
def test_so_are_they_with_decay_and_schedule_and_any_units(inputs, network, solver, options):
    net = network(solver=solver, **SMALL | options)
    if fit_or_refuse(net, inputs, np.arange(len(inputs)) % 2):
        assert is_finite(net)
        assert np.isfinite(net.loss_)


@given(finite(st.integers(1, 3), bound=100), each_name, options, st.floats(0, 1))
@settings(reproducible, max_examples=40)
def test_such_networks_are_measured(inputs, solver, options, share):
    params = {"measures": ["sharpness", "flatness", "weakness"], "label_smoothing": share}
    net = FlatMLPClassifier(solver=solver, **SMALL | options | params)
    if fit_or_refuse(net, inputs, np.arange(len(inputs)) % 3):
        assert np.isfinite(net.sharpness_)
        assert net.flatness_ > 0
        assert 0 <= net.weakness_ <= 1


@pytest.mark.parametrize(
    ("estimator", "params", "meant"),
    [
        (FlatMLPClassifier, {"solver": "samm"}, "sam"),
        (FlatMLPClassifier, {"measures": ["sharpnes"]}, "sharpness"),
        (FlatPerceptronClassifier, {"solver": "max-sum"}, "max_sum"),
        (FlatMatrixFactorization, {"solver": "alss"}, "als"),
    ],
)
def test_the_nearest_name_is_suggested(estimator, params, meant):
    with pytest.raises(ValueError, match=f"Did you mean '{meant}'"):
        estimator(**params).fit(X, Y)


def test_no_name_is_suggested_where_none_is_near():
    with pytest.raises(ValueError, match=r"Got 'quux' instead\.$"):
        FlatMLPClassifier(solver="quux").fit(X, Y)

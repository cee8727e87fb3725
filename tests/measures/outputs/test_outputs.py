"""Measures of the layers' outputs: margins, relative flatness, gradient noise."""

import copy

import numpy as np
import pytest
from autograd import grad, hessian
from fitted import SETOSA, TRAITS, WEIGHT, fitted, last_step, rescaled, sampled, twin
from numpy.testing import assert_allclose
from toys import features

from skflat.measures import (
    GradientNoise,
    Margins,
    RelativeFlatness,
    gradient_noise,
    margins,
    relative_flatness,
)
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Margins


def test_the_margin_is_the_lead_of_the_right_label():
    estimator, X, y = fitted("classes")
    logits = np.log(estimator.predict_proba(X))
    lead = [row[k] - max(np.delete(row, k)) for row, k in zip(logits, y, strict=True)]
    found = margins(estimator, X, y, normalization=None)
    assert_allclose(found.samples, lead, rtol=1e-9, atol=1e-12)
    assert found.value == pytest.approx(np.quantile(lead, 0.1, method="inverted_cdf"), rel=1e-9)
    assert margins(estimator, X, y, normalization=None, quantile=0.5).value == pytest.approx(
        np.quantile(lead, 0.5, method="inverted_cdf"), rel=1e-9
    )
    assert found.kind == "exact"
    assert found.stderr == 0


def test_the_margin_of_two_classes_and_of_labels_is_the_signed_score():
    estimator, X, y = fitted("two classes")
    p = estimator.predict_proba(X)[:, 1]
    expected = np.log(p / (1 - p)) * np.where(SETOSA, 1, -1)
    assert_allclose(margins(estimator, X, y, normalization=None).samples, expected, rtol=1e-9)
    estimator, X, y = fitted("labels")
    p = estimator.predict_proba(X)
    expected = np.ravel(np.log(p / (1 - p)) * (2 * TRAITS - 1))
    assert_allclose(margins(estimator, X, y, normalization=None).samples, expected, rtol=1e-9)


def centred_logits(estimator, X):
    logits = np.log(estimator.predict_proba(X))
    return logits - logits.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_margins_are_divided_by_what_is_asked_for(weight):
    estimator, X, y = fitted("classes")
    plain = margins(estimator, X, y, weight, normalization=None).samples
    F = centred_logits(estimator, X)
    scales = {
        "rms": np.sqrt(np.average((F**2).mean(axis=1), weights=weight)),
        "row": np.abs(F).max(axis=1),
        "layers": np.prod([np.linalg.svd(W)[1][0] for W in estimator.coefs_]),
    }
    for normalization, scale in scales.items():
        found = margins(estimator, X, y, weight, normalization=normalization)
        assert_allclose(found.samples, plain / scale, rtol=1e-9, atol=1e-12)


def test_weighted_margins_count_by_weight():
    estimator, X, y = fitted("classes")
    weight = np.ones(150)
    weight[:75] = 3
    repeated = np.concatenate([np.arange(75), np.arange(75), np.arange(150)])
    by_weight = margins(estimator, X, y, weight, quantile=0.3).value
    lead = margins(estimator, X, y, weight).samples[repeated]
    assert by_weight == np.quantile(lead, 0.3, method="inverted_cdf")


def test_the_table_of_margins_is_their_distribution():
    table = margins(*fitted("classes")).table
    samples = margins(*fitted("classes")).samples
    assert table["margin"][0] == samples.min()
    assert table["margin"][-1] == samples.max()
    assert (np.diff(table["margin"]) >= 0).all()
    assert table["margin"][50] == np.quantile(samples, 0.5, method="inverted_cdf")


def test_the_standard_error_of_a_sampled_quantile_is_about_its_error():
    estimator, X, y = fitted("classes")
    measure = Margins(0.5, None)
    whole = measure.measure(estimator, X, y)
    found = [measure.evaluate(sampled(estimator, X, y, 75, seed)) for seed in range(300)]
    square = np.mean([(part.value - whole.value) ** 2 for part in found])
    assert np.mean([part.stderr**2 for part in found]) == pytest.approx(square, rel=0.6)


def test_the_standard_error_of_a_weighted_quantile_knows_that_heavy_rows_count_more():
    estimator, X, y = fitted("classes")
    weight = np.exp(np.random.default_rng(0).normal(size=150))
    measure = Margins(0.5, None)
    whole = measure.measure(estimator, X, y, weight)
    found = [measure.evaluate(sampled(estimator, X, y, 75, s, weight)) for s in range(300)]
    square = np.mean([(part.value - whole.value) ** 2 for part in found])
    assert np.mean([part.stderr**2 for part in found]) == pytest.approx(square, rel=0.6)


def test_two_classes_have_no_margins_relative_to_the_row():
    with pytest.raises(TypeError, match="needs three classes or more"):
        margins(*fitted("two classes"), normalization="row")


@pytest.mark.parametrize(("name", "value"), [("quantile", 1.5), ("normalization", "l2")])
def test_margins_name_parameters_out_of_range(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter .* {value!r} instead"):
        margins(*fitted("classes"), **{name: value})


# Relative flatness


def dense_relative_flatness(estimator, X, y, weight=None):
    """``sum_{s, t} <w_s, w_t> tr(H_st)`` from the dense Hessian."""
    network, X = last_step(estimator, X)
    loss, w = twin(network, X, y, weight)
    H, W = hessian(loss)(w), network.coefs_[-1]
    start = sum(array.size for array in network.coefs_[:-1])
    block = H[start : start + W.size, start : start + W.size].reshape(*W.shape, *W.shape)
    return np.einsum("is,it,jsjt->", W, W, block)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    "name",
    [
        "classes",
        "classes, tanh",
        "classes, linear",
        "two classes",
        "labels",
        "two outputs",
        "counts",
    ],
)
def test_relative_flatness_is_that_of_the_dense_hessian(name, weight):
    estimator, X, y = fitted(name)
    found = relative_flatness(estimator, X, y, weight)
    dense = dense_relative_flatness(estimator, X, y, weight)
    assert found.value == pytest.approx(dense, rel=1e-9)
    assert found.kind == "exact"


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_normalized_relative_flatness_is_that_of_the_normalized_network(weight):
    estimator, X, y = fitted("classes")
    task = as_problem(estimator, X, y)
    hidden = features(task.objective, task.w)
    mean = np.average(hidden, axis=0, weights=weight)
    spread = np.sqrt(np.average((hidden - mean) ** 2, axis=0, weights=weight))
    spread[spread == 0] = 1
    network = copy.deepcopy(estimator)
    network.coefs_[0] /= spread
    network.intercepts_[0] /= spread
    network.coefs_[1] *= spread[:, None]
    expected = relative_flatness(network, X, y, weight).value
    found = relative_flatness(estimator, X, y, weight, normalize=True).value
    assert found == pytest.approx(expected, rel=1e-9)


def test_relative_flatness_of_a_sparse_linear_network():
    estimator, X, y = fitted("our sparse regression")
    dense = dense_relative_flatness(estimator, X, y)
    assert relative_flatness(estimator, X, y).value == pytest.approx(dense, rel=1e-9)
    network = copy.deepcopy(estimator)
    normalized = relative_flatness(network, X, y, normalize=True).value
    assert normalized == relative_flatness(network, X.toarray(), y, normalize=True).value


def test_normalizing_survives_units_far_from_zero_in_single_precision():
    estimator, X, y = fitted("our single precision")
    network = copy.deepcopy(estimator)
    network.intercepts_[0] += 1000
    double = copy.deepcopy(network)
    double.coefs_ = [W.astype(float) for W in network.coefs_]
    double.intercepts_ = [b.astype(float) for b in network.intercepts_]
    single = relative_flatness(network, X, y, normalize=True).value
    expected = relative_flatness(double, X.astype(float), y, normalize=True).value
    assert single == pytest.approx(expected, rel=1e-3)


# Gradient noise


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    "name",
    ["classes", "classes, tanh", "our sparse classes", "labels", "two outputs", "our counts"],
)
def test_gradient_noise_is_the_variance_of_the_rows_gradients(name, weight):
    estimator, X, y = fitted(name)
    network, X_dense = last_step(estimator, X)
    w = twin(network, X_dense, y)[1]
    rows = np.array(
        [grad(twin(network, X_dense[i : i + 1], y[i : i + 1])[0])(w) for i in range(150)]
    )
    mean = np.average(rows, axis=0, weights=weight)
    expected = np.average(np.sum((rows - mean) ** 2, axis=1), weights=weight)
    found = gradient_noise(estimator, X, y, weight)
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert_allclose(found.samples, np.sum(rows**2, axis=1), rtol=1e-9)
    table = {name: column[0] for name, column in found.table.items()}
    assert table["gradient"] == pytest.approx(mean @ mean, rel=1e-8)
    assert table["batch_size"] == pytest.approx(expected / (mean @ mean), rel=1e-8)


@pytest.mark.parametrize("measure", [GradientNoise(), RelativeFlatness()])
def test_the_standard_error_of_a_sampled_mean_is_its_error(measure):
    estimator, X, y = fitted("classes")
    whole = measure.measure(estimator, X, y)
    found = [measure.evaluate(sampled(estimator, X, y, 75, seed)) for seed in range(300)]
    square = np.mean([(part.value - whole.value) ** 2 for part in found])
    assert np.mean([part.stderr**2 for part in found]) == pytest.approx(square, rel=0.25)


@pytest.mark.parametrize("measure", [GradientNoise(), RelativeFlatness(True), Margins()])
def test_rows_in_chunks_are_rows(measure, monkeypatch):
    estimator, X, y = fitted("classes")
    whole = measure.measure(estimator, X, y, WEIGHT)
    monkeypatch.setattr("skflat.objective._objective.CHUNK", 17)
    monkeypatch.setattr("skflat.measures.curvature._relative_flatness.CHUNK", 17)
    pieces = measure.measure(estimator, X, y, WEIGHT)
    assert pieces.value == pytest.approx(whole.value, rel=1e-12)
    assert_allclose(pieces.samples, whole.samples, rtol=1e-10)


def test_a_rescaled_network_keeps_its_margins():
    estimator, X, y = fitted("classes")
    moved = rescaled(estimator, 7.0)
    for normalization in ("rms", "row", "layers", None):
        first = margins(estimator, X, y, normalization=normalization).samples
        assert_allclose(margins(moved, X, y, normalization=normalization).samples, first, rtol=1e-8)

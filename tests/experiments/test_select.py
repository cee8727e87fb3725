"""The choice among fitted networks."""

import numpy as np
import pytest
from fitted import IRIS, SPECIES
from numpy.testing import assert_array_equal
from scipy.stats import spearmanr
from sklearn.datasets import load_diabetes
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat.experiments import select, select_weakest
from skflat.measures import (
    HessianTrace,
    NoiseStability,
    Weakness,
    effective_rank,
    hessian_trace,
    weakness,
)
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

TRAIN, OTHER = np.arange(0, 150, 2), np.arange(1, 150, 2)
X, Y = IRIS[TRAIN], SPECIES[TRAIN]


@pytest.fixture(scope="module")
def networks():
    setting = {"hidden_layer_sizes": (6,), "max_iter": 40, "learning_rate_init": 0.02}
    return {
        f"start {seed}": MLPClassifier(random_state=seed, **setting).fit(X, Y) for seed in range(4)
    }


def test_the_best_is_that_of_the_largest_or_of_the_smallest_value(networks):
    found = select(networks, X, Y, by="sharpness")
    traces = {name: hessian_trace(each, X, Y).value for name, each in networks.items()}
    ranks = {name: effective_rank(each, X, Y).value for name, each in networks.items()}
    assert found.name == min(traces, key=traces.get) != max(traces, key=traces.get)
    assert found.best is networks[found.name] is list(networks.values())[found.index]
    assert found.choices["effective_rank"] == max(ranks, key=ranks.get)
    assert_array_equal(found.values["effective_rank"], list(ranks.values()))
    expected = -spearmanr(list(traces.values()), list(ranks.values())).statistic
    assert found.agreement["effective_rank"] == pytest.approx(expected)
    assert found.agreement["sharpness"] == pytest.approx(1)


def test_all_are_measured_with_the_same_probes(networks):
    found = select(networks, X, Y, by="weakness", random_state=7)
    expected = [weakness(each, X, Y, random_state=7).value for each in networks.values()]
    assert_array_equal(found.values["weakness"], expected)
    given = select(networks, X, Y, by=Weakness(X_probe=IRIS[OTHER]), rivals=())
    expected = [weakness(each, X, Y, X_probe=IRIS[OTHER]).value for each in networks.values()]
    assert_array_equal(given.values["Weakness"], expected)
    assert list(given.choices) == [given.by] == ["Weakness"]


def test_validation_rows_choose_by_the_score(networks):
    rows = IRIS[OTHER], SPECIES[OTHER]
    scores = [each.score(*rows) for each in networks.values()]
    found = select(networks, X, Y, validation=rows)
    assert_array_equal(found.values["validation"], scores)
    assert found.choices["validation"] == list(networks)[int(np.argmax(scores))]
    losses = select(networks, X, Y, by="validation", validation=rows, scoring="neg_log_loss")
    assert losses.by == "validation"
    assert (losses.values["validation"] < 0).all()


def test_a_sequence_is_numbered_and_pipelines_are_measured_on_what_they_see(networks):
    pipes = [
        make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=20, random_state=seed))
        for seed in range(2)
    ]
    found = select([pipe.fit(X, Y) for pipe in pipes], X, Y, by=HessianTrace())
    assert found.names == [0, 1]
    assert found.name == found.index
    expected = [hessian_trace(pipe, X, Y).value for pipe in pipes]
    assert_array_equal(found.values["HessianTrace"], expected)
    assert found.to_frame().shape == (2, 4)
    assert all(name in str(found) for name in found.choices)


def test_a_model_without_a_number_is_never_chosen_and_equal_ones_have_no_agreement(networks):
    wild = MLPClassifier((6,), max_iter=1, random_state=0).fit(X, Y)
    wild.coefs_ = [np.full_like(each, 1e200) for each in wild.coefs_]
    with pytest.warns(UserWarning, match="The loss at the fitted parameters is"):
        found = select([wild, networks["start 0"]], X, Y, by="sharpness", rivals=None)
    assert found.name == 1
    twins = select([networks["start 0"]] * 2, X, Y)
    assert twins.name == 0
    assert np.isnan(list(twins.agreement.values())).all()


def test_measures_that_are_not_defined_are_left_out():
    X, y = load_diabetes(return_X_y=True)
    nets = [
        MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=seed).fit(X, y)
        for seed in range(2)
    ]
    found = select(nets, X, y, by="effective_rank")
    assert "normalized_margin" not in found.choices
    with pytest.raises(ValueError, match=r"by='normalized_margin' chooses none .*needs classes"):
        select(nets, X, y)


def test_measures_of_one_class_are_kept_apart(networks):
    by, rival = (NoiseStability(level, n_draws=2) for level in (0.1, 0.3))
    found = select(networks, X, Y, by=by, rivals=[by, rival])
    assert list(found.values) == ["NoiseStability", "NoiseStability 2"]
    for measure, values in zip((by, rival), found.values.values(), strict=True):
        assert_array_equal(
            values, [measure.measure(each, X, Y).value for each in networks.values()]
        )


def test_a_single_estimator_is_no_sequence(networks):
    pipe = make_pipeline(StandardScaler(), networks["start 0"])
    for single in (networks["start 0"], pipe):
        with pytest.raises(TypeError, match="models must be a sequence or a dict"):
            select(single, X, Y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": []}, "at least two fitted estimators, got 0"),
        ({"by": "flat"}, "names among .*, got 'flat'"),
        ({"rivals": [3]}, "names among .*, got 3"),
        ({"by": "validation"}, r"needs rows: validation=\(X_val, y_val\)"),
        ({"validation": X}, r"validation must be a tuple \(X_val, y_val\)"),
    ],
)
def test_what_makes_no_sense_is_refused(networks, change, message):
    with pytest.raises(ValueError, match=message):
        select(**{"models": networks, "X": X, "y": Y} | change)


def test_only_models_of_equal_training_loss_are_chosen(networks):
    problems = [as_problem(each, X, Y) for each in networks.values()]
    losses = np.array([each.loss for each in problems])
    constant, order = problems[0].objective.constant_loss(), np.argsort(losses)
    within = (losses[order[1]] - losses[order[0]]) / constant * (1 + 1e-9)
    every, two = (select(networks, X, Y, by="sharpness", within=share) for share in (10, within))
    assert every.choices == select(networks, X, Y, by="sharpness").choices
    traces = two.values["sharpness"]
    assert len(traces) == 4
    assert two.index == min(order[:2], key=lambda place: traces[place])
    assert select(networks, X, Y, by="sharpness", within=0).index == order[0]
    for wrong in (-1, True, "equal"):
        with pytest.raises(
            ValueError, match=f"within must be None or a number >= 0, got {wrong!r}"
        ):
            select(networks, X, Y, within=wrong)


def test_the_weakest_is_chosen_with_the_given_probes(networks):
    found = select_weakest(networks, X, Y, IRIS[OTHER], within=10, n_jobs=1)
    values = [weakness(each, X, Y, X_probe=IRIS[OTHER]).value for each in networks.values()]
    assert found.index == int(np.argmax(values))
    assert set(found.values) == {"Weakness", "effective_rank", "normalized_margin"}
    nearest = select_weakest(networks, X, Y, within=0)
    assert nearest.index == int(np.argmin([as_problem(e, X, Y).loss for e in networks.values()]))

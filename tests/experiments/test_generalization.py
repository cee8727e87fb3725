"""Which measures of a network predict its score."""

from collections import Counter
from itertools import permutations
from math import asin, log, pi

import matplotlib

matplotlib.use("Agg")  # the pictures are looked at by no one

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy.stats import kendalltau, rankdata
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat import FlatMLPClassifier
from skflat.displays import GeneralizationDisplay
from skflat.experiments import GeneralizationStudy, predicts_generalization
from skflat.experiments.generalization._information import conditional_information
from skflat.experiments.generalization._pairs import resamples, signs, tau_b
from skflat.experiments.generalization._partial import partial_rank
from skflat.experiments.generalization._training import training_rows
from skflat.measures import hessian_trace
from skflat.problems import as_problem

X, Y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
HALVES = X[::2], Y[::2], X[1::2], Y[1::2]
CLF = FlatMLPClassifier((6,), solver="sgd", batch_size=15)
GRID = {"learning_rate_init": [0.02, 0.06], "label_noise": [0.0, 0.2]}
RHO = 0.8


class Known(BaseEstimator):
    """Its quality is drawn, and the learning rate may add to its score."""

    fitted = 0
    interrupted_at = None

    def __init__(self, rate=1, width=1, random_state=None, worth=0.0):
        self.rate, self.width = rate, width
        self.random_state, self.worth = random_state, worth

    def fit(self, X, y):
        Known.fitted += 1
        if Known.fitted == Known.interrupted_at:
            raise KeyboardInterrupt
        seed = [self.random_state, self.rate, self.width]
        self.quality_, self.noise_ = np.random.default_rng(seed).normal(size=2)
        return self

    def score(self, X, y):
        return self.quality_ + self.worth * self.rate


def truth_and_noise(estimator, X, y):
    return RHO * estimator.quality_ + (1 - RHO**2) ** 0.5 * estimator.noise_


def rate_only(estimator, X, y):
    return estimator.rate


def known(n_seeds=40, worth=0.0, rates=(1, 2, 3), **settings):
    grid = {"rate": list(rates), "width": [10, 20, 30]}
    measures = {"truth and noise": truth_and_noise, "follows": rate_only}
    arguments = (*HALVES, grid, measures)
    return predicts_generalization(Known(worth=worth), *arguments, n_seeds=n_seeds, **settings)


@pytest.fixture(autouse=True)
def afresh():
    Known.fitted, Known.interrupted_at = 0, None
    yield
    plt.close("all")


# What is known of the truth


def test_the_tau_of_truth_and_noise_is_recovered():
    found = known().summary().loc["truth and noise"]
    expected = 2 / pi * asin(RHO)  # of two normal variables
    assert found["tau_low"] < expected < found["tau_high"]
    assert found["tau"] == pytest.approx(expected, abs=0.06)
    assert found["granulated_low"] < expected < found["granulated_high"]
    assert found["tau_high"] - found["tau_low"] < 0.2
    assert found["n"] == 360


def test_a_measure_that_only_follows_the_learning_rate_is_found_out():
    """The rate is worth a little, so it ranks networks; but along the width it says nothing."""
    study = known(worth=1.0)
    by_axis, summary = study.granulated(), study.summary()
    assert summary.loc["follows", "tau"] > 0.4
    assert by_axis.loc["follows", "rate"] > 0.4
    assert by_axis.loc["follows", "width"] == 0
    assert by_axis.loc["follows", "mean"] == by_axis.loc["follows", "rate"] / 2
    assert summary.loc["follows", "information"] == pytest.approx(0, abs=1e-12)
    assert summary.loc["truth and noise", "information"] > 0.05
    assert by_axis.loc["truth and noise", "width"] > 0.5
    assert summary.loc["follows", "worst_sign_error"] == 0.5


# The statistics, each beside a slow twin


@pytest.fixture(scope="module")
def columns():
    rng = np.random.default_rng(0)
    levels = rng.integers(2, size=(3, 40))
    outcome = rng.integers(12, size=40) / 12
    return levels, outcome, np.round(outcome + rng.normal(size=40) / 3, 1)


def test_tau_is_that_of_scipy_with_ties_and_infinities(columns):
    _, outcome, measure = columns
    measure = np.where(measure > 1, np.inf, measure)
    found = tau_b(signs(measure), signs(outcome))
    assert found == pytest.approx(kendalltau(measure, outcome).statistic, rel=1e-12)
    assert np.isnan(tau_b(signs(np.ones(40)), signs(outcome)))


def test_a_bootstrap_sample_is_the_rows_drawn_again(columns):
    _, outcome, measure = columns
    group = np.repeat(np.arange(10), 4)
    weights = resamples(group)
    assert_array_equal(weights[:, ::4], weights[:, 3::4])
    assert (weights.sum(axis=1) == 40).all()
    found = tau_b(signs(measure), signs(outcome), weights)
    for k in range(3):
        rows = np.repeat(np.arange(40), weights[k].astype(int))
        assert found[k] == pytest.approx(kendalltau(measure[rows], outcome[rows]).statistic)
    assert len(np.unique(resamples(np.zeros(8, int))[0])) > 1  # a single setting: by networks


def information_by_hand(measure, outcome, levels, chosen):
    """``I(V; G | U) / H(G | U)`` from a list of pairs."""
    pairs = [
        (
            np.sign(measure[j] - measure[i]),
            np.sign(outcome[j] - outcome[i]),
            (*levels[chosen, i], *levels[chosen, j]),
        )
        for i, j in permutations(range(len(outcome)), 2)
        if outcome[i] != outcome[j]
    ]

    def entropy(*places):
        counts = Counter(tuple(pair[k] for k in places) for pair in pairs)
        return -sum(n / len(pairs) * log(n / len(pairs)) for n in counts.values())

    left = entropy(1, 2) - entropy(2)
    return (left - entropy(0, 1, 2) + entropy(0, 2)) / left


def test_the_information_is_that_of_the_pairs(columns):
    levels, outcome, measure = columns
    sets = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]]
    expected = min(information_by_hand(measure, outcome, levels, chosen) for chosen in sets)
    found = conditional_information(signs(measure), signs(outcome), levels)
    assert 0.01 < found == pytest.approx(expected, rel=1e-9)
    assert conditional_information(signs(outcome), signs(outcome), levels) == 1
    assert conditional_information(signs(-outcome), signs(outcome), levels) == 1  # as telling
    constant = signs(np.ones(40))
    assert conditional_information(constant, signs(outcome), levels) == pytest.approx(0, abs=1e-12)
    assert np.isnan(conditional_information(signs(outcome), constant, levels))


def test_a_partial_correlation_is_that_of_the_textbook(columns):
    levels, outcome, measure = columns
    r = np.corrcoef([rankdata(each) for each in (measure, outcome, levels[0])])
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / ((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2)) ** 0.5
    assert partial_rank(measure, outcome, [levels[0]]) == pytest.approx(expected, rel=1e-9)
    twice = partial_rank(measure, outcome, [levels[0], 2 * levels[0]])
    assert twice == pytest.approx(expected, rel=1e-9)
    assert partial_rank(measure, outcome, []) == pytest.approx(r[0, 1], rel=1e-9)
    assert np.isnan(partial_rank(measure, outcome, [measure**3]))


def by_hand(scores, measure, **more):
    """A study of networks on a grid of two axes, with two seeds: shape (rates, widths, seeds)."""
    runs = [
        {"rate": i, "width": j, "seed": k, "score": scores[i][j][k], "sharpness": measure[i][j][k]}
        | more
        for i in range(2)
        for j in range(2)
        for k in range(2)
    ]
    return GeneralizationStudy(runs, ["rate", "width"], ["sharpness"])


def test_sign_errors_count_the_pairs_of_an_environment():
    """Smaller sharpness promises more; one of four pairs is wrong where the rate changes."""
    scores = [[[1, 2], [5, 6]], [[3, 4], [7, 8]]]
    sharpness = [[[-1, -4], [-5, -6]], [[-3, -4.5], [-7, -8]]]
    found = by_hand(scores, sharpness).environments().set_index(["axis", "others"])["sharpness"]
    assert found.to_dict() == {
        ("rate", "width=0"): 0.25,
        ("rate", "width=1"): 0,
        ("width", "rate=0"): 0,
        ("width", "rate=1"): 0,
    }
    summary = by_hand(scores, sharpness).summary().loc["sharpness"]
    assert summary["sign_error"] == 0.25 / 4
    assert summary["worst_sign_error"] == 0.25
    assert summary["worst_change"] == 0.125


def test_pairs_that_the_test_rows_do_not_tell_apart_do_not_count():
    scores = [[[0.50, 0.51], [0.90, 0.91]], [[0.52, 0.53], [0.92, 0.93]]]
    study = by_hand(scores, (-np.array(scores)).tolist(), score_error=0.05)
    found = study.environments()
    assert found["n_pairs"].tolist() == [0, 0, 4, 4]
    assert found["sharpness"].isna().tolist() == [True, True, False, False]
    assert study.summary().loc["sharpness", "worst_sign_error"] == 0


def test_the_gap_is_an_outcome_and_less_of_it_is_better():
    scores = np.arange(8.0).reshape(2, 2, 2)
    study = by_hand(scores, -scores, train_score=10.0)
    assert study.summary("gap").loc["sharpness", "tau"] == 1
    with pytest.raises(ValueError, match="outcome must be one of"):
        study.summary("loss")


def test_partial_correlations_are_in_the_summary_if_asked_for():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(2, 2, 2))
    study = by_hand(scores, -scores, other=1.0)
    assert "partial" not in study.summary()
    found = study.summary(given=["other"]).loc["sharpness"]
    assert found["partial"] == pytest.approx(1)
    assert found["partial_low"] == pytest.approx(1)


# Training


@pytest.fixture(scope="module")
def study():
    return predicts_generalization(CLF, *HALVES, GRID, ["sharpness"], n_seeds=2, until=0.8)


def test_all_networks_end_at_the_same_loss(study):
    frame = study.to_frame()
    assert frame["fitted"].all()
    assert ((frame["train_loss"] <= 0.8) & (frame["train_loss"] > 0.55)).all()
    assert frame["epochs"].nunique() > 2


def test_a_run_is_the_training_that_one_would_do_oneself(study):
    run = next(each for each in study.runs if each["label_noise"] and each["seed"])
    inputs, labels = training_rows(CLF, X[::2], Y[::2], {"label_noise": 0.2}, 1)
    seed = np.random.RandomState(1).randint(np.iinfo(np.int32).max)
    clf = FlatMLPClassifier((6,), solver="sgd", batch_size=15, measures=None, random_state=seed)
    clf.set_params(learning_rate_init=run["learning_rate_init"])
    for _ in range(run["epochs"]):
        assert not hasattr(clf, "coefs_") or as_problem(clf, inputs, labels).loss > 0.8
        clf.partial_fit(inputs, labels, classes=[0, 1, 2])
    assert run["train_loss"] == as_problem(clf, inputs, labels).loss
    assert run["score"] == clf.score(X[1::2], Y[1::2])
    assert run["train_score"] == clf.score(inputs, labels)
    assert run["sharpness"] == hessian_trace(clf, inputs, labels).value


def test_what_does_not_fit_is_left_out():
    slow = {"learning_rate_init": [1e-6, 0.1]}
    clf = FlatMLPClassifier((6,), solver="sgd", batch_size=15, max_iter=60)
    found = predicts_generalization(clf, *HALVES, slow, ["sharpness"], n_seeds=2, until=0.8)
    assert found.to_frame()["fitted"].tolist() == [0, 1, 0, 1]
    assert found.summary().loc["sharpness", "n"] == 2


def test_what_diverges_is_left_out():
    wild = {"learning_rate_init": [1e200, 0.1]}
    for until in (None, 0.8):
        found = predicts_generalization(CLF, *HALVES, wild, ["sharpness"], n_seeds=2, until=until)
        assert found.to_frame()["score"].isna().tolist() == [True, False, True, False]
        assert found.summary().loc["sharpness", "n"] == 2


def test_smaller_shares_are_parts_of_larger_ones():
    few, some = (training_rows(CLF, X, Y, {"rows": share}, 3)[0] for share in (0.3, 0.6))
    assert (len(few), len(some)) == (45, 90)
    assert {tuple(row) for row in few} <= {tuple(row) for row in some}
    wrong = [training_rows(CLF, X, Y, {"label_noise": share}, 3)[1] != Y for share in (0.1, 0.3)]
    assert [each.sum() for each in wrong] == [15, 45]
    assert (wrong[0] <= wrong[1]).all()
    reg = MLPRegressor()
    mixed = training_rows(reg, X, X[:, 0], {"label_noise": 0.5}, 3)[1]
    assert_array_equal(np.sort(mixed), np.sort(X[:, 0]))
    assert 30 < (mixed != X[:, 0]).sum() <= 75


def test_pipelines_and_regressors_take_part():
    reg = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(5,), max_iter=100))
    grid = {"mlpregressor__learning_rate_init": [0.03, 0.06], "rows": [0.5, 1.0]}
    shifts = {"noisy": (X[1::2] + 0.3, X[1::2, 0])}
    data = X[::2], X[::2, 0], X[1::2], X[1::2, 0]
    found = predicts_generalization(
        reg, *data, grid, {"norm": norm}, n_seeds=1, until=0.25, shifts=shifts
    )
    frame = found.to_frame()
    assert frame["fitted"].all()
    assert (frame["noisy"] != frame["score"]).all()
    assert found.summary("noisy")["n"].tolist() == [4]
    assert found.where(rows=0.5).axes == ["mlpregressor__learning_rate_init"]
    assert len(found.where(rows=0.5).runs) == 2


def norm(estimator, X, y):
    return -sum(np.sum(W**2) for W in estimator[-1].coefs_)


# Work that is divided or interrupted


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_change_nothing(study, backend):
    with parallel_config(backend, n_jobs=2):
        together = predicts_generalization(
            CLF, *HALVES, GRID, ["sharpness"], n_seeds=1, until=0.8
        ).to_frame()
    assert_frame_equal(
        study.to_frame()[:4].drop(columns="seconds"),
        together.drop(columns="seconds"),
        check_exact=True,
    )


def test_an_interrupted_study_goes_on(tmp_path):
    path, whole, told = tmp_path / "study.csv", known(3), []
    Known.fitted, Known.interrupted_at = 0, 11
    with pytest.raises(KeyboardInterrupt):
        known(3, checkpoint=path)
    Known.fitted, Known.interrupted_at = 0, None
    resumed = known(3, checkpoint=path, progress=lambda *each: told.append(each))
    assert Known.fitted == 17
    assert told[0], told[-1] == ((11, 27), (27, 27))
    columns = [name for name in whole.to_frame() if name != "seconds"]
    assert_frame_equal(resumed.to_frame()[columns], whole.to_frame()[columns], check_exact=True)
    assert len(known(3, checkpoint=path, rates=(1, 2, 3, 4)).runs) == 36
    assert Known.fitted == 26
    read = pd.read_csv(path, comment="#").to_dict("records")
    study = GeneralizationStudy(read, ["rate", "width"], ["truth and noise"])
    assert study.summary()["n"].tolist() == [36]
    with pytest.raises(ValueError, match="other settings: estimator"):
        known(3, worth=1.0, checkpoint=path)
    path.write_text("rate,width\n")
    with pytest.raises(ValueError, match="not a file of a generalization study"):
        known(3, checkpoint=path)


def test_progress_is_printed(capsys):
    known(1, progress=True)
    assert capsys.readouterr().out.splitlines()[-1] == "9 of 9 networks"


def test_settings_are_written_as_text():
    grid = {"hidden_layer_sizes": [(3,), (3, 2)], "solver": ["sgd", "adam"]}
    found = predicts_generalization(CLF, *HALVES, grid, {"norm": zero}, n_seeds=1, until=5.0)
    assert found.to_frame()["hidden_layer_sizes"].tolist() == ["(3,)", "(3,)", "(3, 2)", "(3, 2)"]
    assert np.isnan(found.summary().loc["norm", "tau"])


def zero(estimator, X, y):
    return 0.0


# Pictures and errors


def test_a_study_is_drawn():
    study = known(4, worth=1.0)
    display = GeneralizationDisplay.from_study(study)
    summary = study.summary().sort_values("tau", ascending=False)
    assert [each.get_text() for each in display.ax_.get_yticklabels()] == list(summary.index)
    assert_allclose(display.bars_.lines[0].get_xdata(), summary["tau"])
    assert_allclose(display.points_.get_offsets()[:, 0], summary["granulated"])
    assert display.plot(display.ax_, name="again") is display


def test_unknown_columns_and_values_are_refused():
    runs = [
        {"rate": rate, "kind": "a", "seed": 0, "score": rate, "m": rate, "fitted": 1}
        for rate in (1, 2, 3)
    ]
    found = GeneralizationStudy(runs, ["rate"], ["m"])
    for given in (["speed"], ["kind"]):
        with pytest.raises(ValueError, match=f"given has '{given[0]}', which is no column of num"):
            found.summary(given=given)
    assert_frame_equal(found.summary(given="rate"), found.summary(given=["rate"]))
    with pytest.raises(ValueError, match=r"The networks have no \['speed'\], but"):
        found.where(speed=1)
    with pytest.raises(ValueError, match=r"No network has \{'rate': 7\}"):
        found.where(rate=7)
    with pytest.raises(ValueError, match="there are none"):
        GeneralizationStudy([], ["rate"], ["m"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": {"speed": [1]}}, "'speed', which is no parameter"),
        ({"grid": {"alpha": []}}, "lists of values"),
        ({"grid": {"alpha": [1, 1.0]}}, "'alpha' twice"),
        ({"grid": {"rows": [2.0]}}, "rows must be a share"),
        ({"measures": ["sharp"]}, "measures must be"),
        ({"measures": {"a": 3}}, "measures must be"),
        ({"measures": {"alpha": norm}}, r"a name of its own, not \['alpha'\]"),
        ({"n_seeds": 0}, "n_seeds must be an integer > 0"),
        ({"until": -1.0}, "until must be a number > 0"),
        ({"shifts": {"far": X}}, "shifts must be a dict"),
        ({"shifts": {"score": (X, X)}}, "'score', which is an outcome already"),
        ({"grid": {"random_state": [0, 1]}}, "'random_state', which n_seeds and measures set"),
        ({"grid": {"solver": ["sam", "lbfgs"]}, "until": 0.5}, "until needs training by epochs"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, message):
    arguments = {"grid": {"alpha": [1.0]}, "measures": ["sharpness"]} | changes
    with pytest.raises(ValueError, match=message):
        predicts_generalization(CLF, *HALVES, **arguments)
    with pytest.raises(ValueError, match="lack"):
        GeneralizationStudy([{"seed": 0}], ["rate"], [])

"""The size at which a model starts to interpolate, and the size at which it is flat."""

import re

import matplotlib

matplotlib.use("Agg")  # the pictures are looked at by no one

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_random_state

from skflat import FlatMLPClassifier
from skflat.displays import EmergenceDisplay
from skflat.experiments import Emergence, emergence
from skflat.measures import HessianTrace, LocalEnergy, Margins, hessian_trace, local_energy, margins

X, Y = load_iris(return_X_y=True)
SIZES = [10, 20, 40, 80, 160]
SEED_OF = {check_random_state(seed).randint(np.iinfo(np.int32).max): seed for seed in range(20)}


class Known(ClassifierMixin, BaseEstimator):
    """Solves from size ``needs[seed]`` on, and otherwise takes the first row for another class."""

    fitted = []  # what was fitted, by size and seed
    interrupted_at = None

    def __init__(self, size=1, random_state=None, needs=(20,)):
        self.size = size
        self.random_state = random_state
        self.needs = needs

    def fit(self, X, y):
        self.seed_ = SEED_OF[self.random_state]
        if Known.interrupted_at == (self.size, self.seed_):
            raise KeyboardInterrupt
        Known.fitted.append((self.size, self.seed_))
        self.classes_, self.labels_ = np.unique(y), np.array(y)
        self.wrong_ = self.size < self.needs[self.seed_ % len(self.needs)]
        return self

    def predict(self, X):
        labels = self.labels_[: len(X)].copy()
        if self.wrong_:
            labels[0] = self.classes_[self.classes_ != labels[0]][0]
        return labels


def energy_of(estimator, X, y):
    """0.5 up to size 20, 0.1 from 80 on, and of the seed's own on both sides of it."""
    at = {10: 0.5, 20: 0.5, 40: 0.3, 80: 0.1, 160: 0.1}[estimator.size]
    return at + 0.01 * (-1) ** estimator.seed_


def known(sizes=SIZES, needs=(20,), **settings):
    settings = {"size_param": "size", "measure": energy_of, "n_seeds": 4} | settings
    return emergence(Known(needs=needs), X, Y, sizes, **settings)


def by_hand(sizes, n_solved, energies, n_seeds=4, **settings):
    """An `Emergence` of so many solutions at every size, all of one energy."""
    runs = [
        {
            "size": size,
            "seed": seed,
            "train_error": 0.0 if seed < n else 0.1,
            "energy": energy if seed < n else 1e6,  # must not matter
        }
        for size, n, energy in zip(sizes, n_solved, energies, strict=True)
        for seed in range(n_seeds)
    ]
    return Emergence(runs, **settings)


def assert_between(threshold, low, size, high):
    assert (threshold.low, threshold.high, threshold.reason) == (low, high, "")
    assert threshold.size == pytest.approx(size, rel=1e-12)


def assert_not_found(threshold, low, high, reason):
    assert np.isnan(float(threshold))
    assert (threshold.low, threshold.high) == (low, high)
    assert re.search(reason, threshold.reason)


@pytest.fixture(autouse=True)
def afresh():
    Known.fitted, Known.interrupted_at = [], None
    yield
    plt.close("all")


# The thresholds, of curves that are known


def test_half_of_the_seeds_are_a_crossing_in_the_logarithm_of_the_size():
    energies = [0.5, 0.1, 0.1, 0.1]
    found = by_hand([10, 40, 80, 160], [1, 3, 4, 4], energies, level=0.2).interpolation_
    assert found.size == pytest.approx(20, rel=1e-12)
    found = by_hand([10, 40, 80, 160], [1, 4, 4, 4], energies, level=0.2).interpolation_
    assert found.size == pytest.approx(10 * 4 ** (1 / 3), rel=1e-12)


def test_a_share_that_falls_again_is_pooled():
    """Three and one of four are twice a half, and that is reached at the first of the two."""
    found = by_hand(SIZES, [0, 3, 1, 4, 4], [0.5, 0.5, 0.5, 0.1, 0.1])
    assert found.interpolation_.size == pytest.approx(20, rel=1e-12)


def test_a_tenth_of_the_fall_remains_where_it_is_flat():
    """Of 0.4, down to 0.1: the level is 0.14, four fifths of the way from 0.3 to 0.1."""
    energies = [0.9, 0.5, 0.5, 0.3, 0.1, 0.1]
    found = by_hand([10, 20, 40, 80, 160, 320], [0, 4, 4, 4, 4, 4], energies)
    assert_between(found.interpolation_, 10, 10 * 2**0.5, 20)
    assert_between(found.flatness_, 80, 80 * 2**0.8, 160)


def test_the_fraction_that_may_remain_is_ones_own():
    energies = [0.9, 0.5, 0.5, 0.3, 0.1, 0.1]
    found = by_hand([10, 20, 40, 80, 160, 320], [0, 4, 4, 4, 4, 4], energies, fraction=0.75)
    assert_between(found.flatness_, 40, 40 * 2**0.5, 80)


def test_a_level_needs_no_end_of_the_fall():
    found = by_hand(SIZES, [0, 4, 4, 4, 4], [0.9, 0.5, 0.4, 0.3, 0.1], level=0.15)
    assert_between(found.flatness_, 80, 80 * 2**0.75, 160)


def test_an_energy_that_rises_again_is_pooled_by_the_number_of_solutions():
    """0.1 of two solutions and 0.4 of four are 0.3 of six."""
    found = by_hand(SIZES, [0, 4, 2, 4, 4], [0.9, 0.5, 0.1, 0.4, 0.1], level=0.4)
    assert found.flatness_.size == pytest.approx(20 * 2**0.5, rel=1e-12)


def test_solutions_that_are_flat_at_once_leave_no_gap():
    found = by_hand(SIZES, [0, 0, 4, 4, 4], [0.9, 0.9, 0.1, 0.1, 0.1], level=0.2)
    assert_between(found.interpolation_, 20, 20 * 2**0.5, 40)
    assert found.flatness_ == found.interpolation_


def test_energy_may_be_negative():
    """Flatness with a minus is an energy too."""
    energies = np.array([0.9, 0.5, 0.5, 0.3, 0.1, 0.1])
    moved = by_hand([10, 20, 40, 80, 160, 320], [0, 4, 4, 4, 4, 4], 10 * energies - 7)
    assert_between(moved.flatness_, 80, 80 * 2**0.8, 160)


@pytest.mark.parametrize(("size", "energy"), [(0.037, 1.0), (1.0, 51.3)])
def test_thresholds_scale_with_the_sizes_and_not_with_the_energies(size, energy):
    rng = np.random.default_rng(0)
    n_solved, energies = [0, 1, 3, 4, 4, 4], np.sort(rng.uniform(0.1, 0.5, 6))[::-1]
    energies[-2:] = 0.1
    sizes = np.array([10, 20, 40, 80, 160, 320])
    one = by_hand(sizes, n_solved, energies)
    other = by_hand(sizes * size, n_solved, energies * energy)
    for name in ("interpolation_", "flatness_"):
        was, now = getattr(one, name), getattr(other, name)
        expected = np.array([was.size, was.low, was.high]) * size
        assert [now.size, now.low, now.high] == pytest.approx(expected, rel=1e-9)


# What a ladder does not tell


def test_a_ladder_that_ends_too_low_finds_nothing():
    found = by_hand(SIZES, [0, 0, 0, 1, 1], [0.5] * 5)
    assert_not_found(found.interpolation_, 40, np.inf, "at the largest size, 160, fewer than half")
    assert found.flatness_.reason == found.interpolation_.reason
    nowhere = by_hand(SIZES, [0] * 5, [0.5] * 5)
    assert_not_found(nowhere.interpolation_, 160, np.inf, "the ladder ends too low")


def test_a_ladder_that_begins_too_high_finds_a_flatness_by_level_only():
    solved, energies = [4] * 5, [0.5, 0.5, 0.3, 0.1, 0.1]
    found = by_hand(SIZES, solved, energies)
    assert_not_found(found.interpolation_, 0, 10, "at the smallest size, 10, already")
    assert_not_found(found.flatness_, 0, np.inf, "interpolation is unknown, as half of the seeds")
    assert_between(by_hand(SIZES, solved, energies, level=0.3).flatness_, 20, 40, 40)
    flat = by_hand(SIZES, solved, energies, level=0.6).flatness_
    assert_not_found(flat, 0, 10, "solutions at the smallest size, 10, are flat already")


def test_an_energy_that_still_falls_is_not_flat():
    energies = [0.9, 0.5, 0.4, 0.3, 0.2]
    found = by_hand(SIZES, [0, 4, 4, 4, 4], energies).flatness_
    assert_not_found(found, 80, np.inf, "0.2, is still falling where the ladder ends, at 160")
    found = by_hand(SIZES, [0, 4, 4, 4, 4], energies, level=0.1).flatness_
    assert_not_found(found, 160, np.inf, "0.2, is above 0.1 where the ladder ends, at 160")


def test_an_energy_that_stays_or_rises_is_not_flat():
    for energies in ([0.9, 0.3, 0.3, 0.3, 0.3], [0.9, 0.1, 0.2, 0.3, 0.3]):
        found = by_hand(SIZES, [0, 4, 4, 4, 4], energies).flatness_
        assert_not_found(found, 10, np.inf, "does not clearly fall: .* at interpolation, 0.3 at")


def test_a_fall_within_the_noise_is_not_flatness():
    noise = np.array([-0.3, -0.1, 0.1, 0.3])  # standard error 0.129
    found = by_hand(SIZES, [0, 4, 4, 4, 4], [0.9, 0.8, 0.6, 0.5, 0.5])
    assert found.flatness_.reason == ""
    for run in found.runs:
        run["energy"] += noise[run["seed"]]
    noisy = Emergence(found.runs).flatness_
    assert "standard error of the difference 0.18" in noisy.reason
    assert noisy.high == np.inf


def test_it_takes_three_sizes_and_two_solutions_to_see_a_fall_end():
    found = by_hand(SIZES, [0, 0, 0, 4, 4], [0.9, 0.9, 0.9, 0.3, 0.1]).flatness_
    assert_not_found(found, 40, np.inf, "fewer than three sizes")
    found = by_hand(SIZES, [0, 1, 1, 1, 1], [0.9, 0.5, 0.3, 0.1, 0.1], n_seeds=1)
    assert_between(found.interpolation_, 10, 10 * 2**0.5, 20)
    assert_not_found(found.flatness_, 10, np.inf, "with a single solution at either end")


# Intervals


@pytest.mark.parametrize(("n_solved", "high"), [(3, 40), (4, 40), (5, 20)])
def test_the_interval_is_that_of_the_binomial_law(n_solved, high):
    """Of five seeds, draws of four solved ones and one other have two or fewer in 5.8 %."""
    found = by_hand(SIZES, [0, n_solved, 5, 5, 5], [0.5] * 5, n_seeds=5, level=1).interpolation_
    assert (found.low, found.high) == (10, high)


def test_more_seeds_tell_more():
    few = by_hand(SIZES, [0, 4, 5, 5, 5], [0.5] * 5, n_seeds=5, level=1).interpolation_
    many = by_hand(SIZES, [0, 16, 20, 20, 20], [0.5] * 5, n_seeds=20, level=1).interpolation_
    assert few.size == many.size
    assert (few.high, many.high) == (40, 20)


def test_the_intervals_hold_the_truth_of_a_random_ladder():
    """Success is a logistic function of the logarithm of the size, with its middle at 23; the
    energy comes down to 0.2 at 60."""
    rng, sizes = np.random.default_rng(0), np.geomspace(4, 512, 15)
    success, energy = 1 / (1 + (23 / sizes) ** 4), 0.4 / (1 + (sizes / 60) ** 3)
    runs = [
        {
            "size": size,
            "seed": seed,
            "train_error": float(rng.random() > success[at]),
            "energy": energy[at] * rng.uniform(0.6, 1.4),
        }
        for at, size in enumerate(sizes)
        for seed in range(10)
    ]
    found = Emergence(runs, level=0.2)
    assert found.interpolation_.low <= 23 <= found.interpolation_.high <= 60
    assert 23 <= found.flatness_.low <= 60 <= found.flatness_.high <= 120


# Fits


def test_the_thresholds_of_known_fits_are_found():
    """Two seeds solve from 20 on and two from 40. The energy of every seed is off its mean."""
    found = known(needs=(20, 40))
    assert_array_equal(found.table("train_error").T[::2] == 0, [[False] + [True] * 4] * 2)
    assert found.table("train_error")[:3, 1] == pytest.approx([1 / len(Y), 1 / len(Y), 0])
    assert found.interpolation_.size == pytest.approx(20, rel=1e-12)
    level = 0.1 + 0.1 * (0.51 - 0.1)
    assert found.flatness_.size == pytest.approx(40 * 2 ** ((0.3 - level) / 0.2), rel=1e-12)


def test_a_run_is_the_fit_that_one_would_make_oneself():
    clf = FlatMLPClassifier(learning_rate_init=0.02, max_iter=20, measures=None)
    rows = {"X_test": X[::3], "y_test": Y[::3]}
    found = silent(clf, [3, 6], n_seeds=2, **rows)
    for run in found.runs:
        state = check_random_state(run["seed"]).randint(np.iinfo(np.int32).max)
        mine = clone(clf).set_params(hidden_layer_sizes=run["size"], random_state=state)
        with pytest.warns(UserWarning, match="Maximum iterations"):
            mine.fit(X, Y)
        assert run["n_parameters"] == 8 * run["size"] + 3
        assert run["train_error"] == 1 - mine.score(X, Y)
        assert run["test_score"] == mine.score(X[::3], Y[::3])
        assert run["energy"] == local_energy(mine, X, Y, scale=0.5).table["error_rise"][-1]
        assert run["seconds"] > 0


def silent(estimator, sizes, **settings):
    """The emergence of a ladder that reaches nothing."""
    with pytest.warns(UserWarning, match="No size of"):
        return emergence(estimator, X, Y, sizes, **settings)


@pytest.mark.parametrize(
    ("measure", "energy"),
    [
        (
            LocalEnergy(scale=[0.1, 0.2], n_draws=9),
            lambda *fit: local_energy(*fit, scale=0.2, n_draws=9).table["error_rise"][0],
        ),
        (HessianTrace(), lambda *fit: hessian_trace(*fit).value),
        (Margins(), lambda *fit: -margins(*fit).value),  # larger is flatter
        (hessian_trace, lambda *fit: hessian_trace(*fit).value),
    ],
)
def test_the_energy_is_that_of_the_measure(measure, energy):
    found = silent(MLPClassifier(max_iter=9), [2, 3], n_seeds=1, measure=measure)
    state = next(iter(SEED_OF))
    with pytest.warns(UserWarning, match="Maximum iterations"):
        mine = MLPClassifier(2, max_iter=9, random_state=state).fit(X, Y)
    assert found.runs[0]["energy"] == pytest.approx(energy(mine, X, Y), rel=1e-12)


def test_every_source_of_randomness_has_a_seed_of_its_own():
    seen = {}

    def note(estimator, X, y):
        features, network = estimator
        seen[network.hidden_layer_sizes] = (features.random_state, network.random_state)
        return 0.0

    pipe = make_pipeline(RBFSampler(), MLPClassifier(max_iter=2))
    silent(pipe, [2, 3], size_param="mlpclassifier__hidden_layer_sizes", measure=note, n_seeds=1)
    assert seen[2] == seen[3]
    assert len({*seen[2], 0}) == 3


def test_any_parameter_may_be_the_size():
    pipe = make_pipeline(RBFSampler(), LogisticRegression(C=1e6, max_iter=1000))
    settings = {"n_seeds": 2, "measure": lambda estimator, X, y: 0.0}
    by_name = silent(pipe, [2, 60], size_param="rbfsampler__n_components", **settings)
    by_function = silent(
        pipe,
        [2, 60],
        size_param=lambda pipe, n: pipe.set_params(rbfsampler__n_components=n),
        **settings,
    )
    assert_same_frame(by_name, by_function)
    errors = by_name.table("train_error").mean(axis=1)
    assert errors[1] < errors[0] / 2
    assert pipe[0].n_components == 100
    assert np.isnan(by_name.table("n_parameters")).all()


def assert_same_frame(one, other):
    frames = [each.to_frame().drop(columns="seconds") for each in (one, other)]
    assert_frame_equal(*frames, check_exact=True)


def test_workers_change_nothing():
    clf = MLPClassifier(max_iter=5)
    alone = silent(clf, [3, 6], n_seeds=2)
    assert_same_frame(alone, silent(clf, [3, 6], n_seeds=2, n_jobs=2))


def test_a_fit_that_diverges_counts_as_unsolved():
    clf = FlatMLPClassifier(solver="sgd", learning_rate_init=1e200, measures=None)
    with pytest.warns(UserWarning, match="A fit diverged|No size of") as warned:
        found = emergence(clf, X, Y, [2, 3], n_seeds=1)
    assert [str(each.message) for each in warned][:2] == [
        "A fit diverged, with size 2 and seed 0.",
        "A fit diverged, with size 3 and seed 0.",
    ]
    assert np.isnan(found.table("train_error")).all()
    assert found.summary()["solved"].tolist() == [0, 0]


def test_an_energy_must_be_a_number():
    with pytest.raises(ValueError, match="finite number for solutions, got nan with size 20 and s"):
        known(measure=lambda estimator, X, y: np.nan)


def test_the_summary_is_that_of_the_runs():
    found, test = known(needs=(20, 40), n_seeds=5, X_test=X[:10], y_test=Y[:10]), "test_score"
    summary = found.summary()
    assert summary.index.tolist() == SIZES
    assert summary["solved"].tolist() == [0, 0.6, 1, 1, 1]
    assert_array_equal(summary[test], found.table(test).mean(axis=1))
    assert np.isnan(summary["energy"][10])
    assert summary["energy"][20] == pytest.approx(0.51, rel=1e-12)  # of even seeds only
    error = pd.Series([0.01, -0.01, 0.01, -0.01, 0.01]).sem()
    assert summary["energy_stderr"][80] == pytest.approx(error, rel=1e-12)
    thresholds = found.thresholds()
    assert thresholds.loc["flatness", "size"] == found.flatness_.size
    assert thresholds.loc["interpolation", "reason"] == ""


# Interruption


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    whole, path = known(), tmp_path / "fits.csv"
    assert Known.fitted == [(size, seed) for size in SIZES for seed in range(4)]
    Known.fitted, Known.interrupted_at = [], (40, 2)
    with pytest.raises(KeyboardInterrupt):
        known(checkpoint=path)
    before = Known.fitted
    assert len(before) == len(path.read_text().splitlines()) - 2 == 10
    Known.fitted, Known.interrupted_at = [], None
    assert_same_frame(known(checkpoint=path), whole)
    assert before + Known.fitted == [(size, seed) for size in SIZES for seed in range(4)]
    assert_same_frame(known(checkpoint=path), whole)
    assert len(Known.fitted) == 10


class Interrupted(MLPClassifier):
    def _backprop(self, *args, **kwargs):
        raise KeyboardInterrupt


def interrupted(z):
    raise KeyboardInterrupt


@pytest.mark.parametrize("clf", [Interrupted(), FlatMLPClassifier(activation=interrupted)])
def test_a_network_that_is_interrupted_is_no_fit(clf):
    """By itself it would only warn, and be fitted as far as it came."""
    with pytest.raises(KeyboardInterrupt):
        emergence(clf, X, Y, [2, 3])


def test_workers_fill_the_file_in_the_order_of_the_fits(tmp_path):
    clf, path = MLPClassifier(max_iter=3), tmp_path / "fits.csv"
    found = silent(clf, [2, 3], n_seeds=2, n_jobs=2, checkpoint=path)
    kept = pd.read_csv(path, comment="#")
    assert_frame_equal(kept, found.to_frame(), rtol=1e-14)
    assert Emergence(kept.to_dict("records")).thresholds().equals(found.thresholds())


def test_a_line_that_was_cut_off_is_fitted_again(tmp_path):
    path = tmp_path / "fits.csv"
    whole = known(checkpoint=path)
    text = path.read_text()
    path.write_text(text[:-15])
    Known.fitted = []
    assert_same_frame(known(checkpoint=path), whole)
    assert Known.fitted == [(160, 3)]
    assert path.read_text().splitlines()[:-1] == text.splitlines()[:-1]


def test_a_ladder_and_the_seeds_may_grow(tmp_path):
    path = tmp_path / "fits.csv"
    known(SIZES[:-1], n_seeds=2, level=0.2, checkpoint=path)
    Known.fitted = []
    found = known(n_seeds=3, checkpoint=path)
    assert Known.fitted == [
        *((size, 2) for size in SIZES[:-1]),
        *((160, seed) for seed in range(3)),
    ]
    assert_same_frame(found, known(n_seeds=3))


def test_a_file_of_other_settings_is_refused(tmp_path):
    path = tmp_path / "fits.csv"
    known(checkpoint=path)
    before = path.read_text()
    for settings, named in (
        ({"needs": (40,)}, "estimator"),
        ({"measure": LocalEnergy()}, "measure"),
        ({"X_test": X, "y_test": Y}, "data"),
    ):
        with pytest.raises(ValueError, match=rf"fits\.csv' was written with other .*: {named}\."):
            known(checkpoint=path, **settings)
    with pytest.raises(ValueError, match="other settings: data"):
        emergence(Known(), X, Y[::-1], SIZES, size_param="size", measure=energy_of, checkpoint=path)
    assert path.read_text() == before


def test_what_is_the_same_is_not_refused(tmp_path):
    """Of an estimator it is the parameters that count."""
    path, clf = tmp_path / "fits.csv", Known(needs=(20,))
    settings = {"size_param": "size", "measure": energy_of, "checkpoint": path}
    emergence(clf, X, Y, SIZES, **settings)
    clf.set_params(random_state=next(iter(SEED_OF))).fit(X, Y)
    clf.set_params(random_state=None)
    Known.fitted = []
    emergence(clf, X.copy(), Y.copy(), SIZES, fraction=0.5, n_jobs=1, **settings)
    assert Known.fitted == []


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "something.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"something\.csv' is not a file of an emergence"):
        known(checkpoint=path)
    assert path.read_text() == "a,b\n1,2\n"


def test_a_function_without_a_name_cannot_be_told_from_another(tmp_path):
    with pytest.raises(ValueError, match="functions must be known by a name"):
        known(checkpoint=tmp_path / "fits.csv", measure=lambda estimator, X, y: 0.0)


# Bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"estimator": Ridge()}, r"estimator must be a classifier, got Ridge\(\)"),
        ({"sizes": [3]}, r"sizes must be two or more numbers > 0 that increase, got \[3\]"),
        ({"sizes": [3, 3]}, "sizes must be"),
        ({"sizes": [0, 3]}, "sizes must be"),
        ({"sizes": [1, np.inf]}, "sizes must be"),
        ({"sizes": "many"}, "sizes must be .* got 'many'"),
        ({"sizes": ["a", "b"]}, "sizes must be"),
        ({"sizes": [(3,), (4, 5)]}, "sizes must be"),
        ({"size_param": "width"}, "size_param must be a parameter of the estimator.* got 'width'"),
        ({"size_param": lambda clf, n: None}, "size_param must return an estimator, got None"),
        ({"n_seeds": 0}, "n_seeds must be an integer > 0, got 0"),
        ({"n_seeds": True}, "n_seeds must be an integer > 0, got True"),
        ({"measure": "sharpness"}, "measure must be a Measure or a function, got 'sharpness'"),
        ({"fraction": 1}, "fraction must be a number between 0 and 1, got 1"),
        ({"fraction": None}, "fraction must be a number between 0 and 1, got None"),
        ({"level": np.nan}, "level must be a number or None, got nan"),
        ({"X_test": X}, "X_test and y_test must be given together"),
        ({"y": Y[1:]}, "inconsistent numbers of samples"),
        ({"X_test": X, "y_test": Y[1:]}, "inconsistent numbers of samples"),
        ({"measure": LocalEnergy(scale=-1)}, "scale must be a number > 0"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    usual = {"estimator": MLPClassifier(max_iter=1), "X": X, "y": Y, "sizes": [2, 3], "n_seeds": 1}
    with pytest.raises(ValueError, match=message):
        emergence(**usual | settings)


def test_runs_may_come_in_any_order_and_with_none_missing():
    runs = known().runs
    again = Emergence(runs[::-1])
    assert again.runs == runs
    for some in (runs[1:], runs + runs[:1], runs[:3] + runs[4:5]):
        with pytest.raises(ValueError, match="runs must hold every size once with every seed"):
            Emergence(some)


def test_a_ladder_that_reaches_nothing_warns():
    with pytest.warns(UserWarning, match="No size of") as warned:
        known(needs=(1000,))
    assert [str(each.message).split(":")[0] for each in warned] == [
        "No size of interpolation was found",
        "No size of flatness was found",
    ]


# The picture


def test_the_picture_shows_the_curves_and_both_thresholds():
    found = known(needs=(20, 40), X_test=X[:20], y_test=Y[:20])
    display, summary = EmergenceDisplay.from_emergence(found), found.summary()
    share, score = display.lines_
    assert_array_equal(share.get_xydata(), np.transpose([SIZES, summary["solved"]]))
    assert_allclose(score.get_ydata(), summary["test_score"])
    means = display.bars_.lines[0].get_xydata()
    assert_allclose(means, np.transpose([SIZES[1:], summary["energy"][1:]]))
    assert len(display.points_.get_offsets()) == 14
    band = display.bands_["flatness"]
    ends = (found.flatness_.low, found.flatness_.high)
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx(ends, rel=1e-12)
    marked = {name: line.get_xdata()[0] for name, line in display.thresholds_.items()}
    assert marked == {"interpolation": found.interpolation_.size, "flatness": found.flatness_.size}
    assert [text.get_text() for text in display.energy_ax_.get_legend().get_texts()] == [
        "zero training error",
        "test score",
        "interpolation at 20",
        f"flatness at {found.flatness_.size:.3g}",
        "energy",
    ]


def test_the_picture_says_what_was_not_found():
    found = by_hand(SIZES, [0, 0, 0, 0, 1], [0.5] * 5)
    display = EmergenceDisplay.from_emergence(found, name="toy", color="k")
    texts = [text.get_text() for text in display.energy_ax_.get_legend().get_texts()]
    assert {"interpolation: not found", "flatness: not found", "toy: energy"} < set(texts)
    assert display.thresholds_ == {}
    assert display.bands_["flatness"].get_x() < 160 < display.ax_.get_xlim()[1]
    assert [line.get_color() for line in display.lines_] == ["k"]
    assert len(display.points_.get_offsets()) == 1


def test_the_picture_goes_into_axes_that_are_given():
    figure, ax = plt.subplots()
    found = known()
    display = EmergenceDisplay.from_emergence(found, ax=ax)
    assert (display.ax_, display.figure_) == (ax, figure)
    assert display.plot(ax) is display
    assert display.plot().ax_ is not ax


def test_a_picture_without_any_solution_is_drawn():
    found = by_hand(SIZES, [0] * 5, [0.5] * 5)
    display = EmergenceDisplay.from_emergence(found)
    assert len(display.points_.get_offsets()) == 0
    display.figure_.canvas.draw()

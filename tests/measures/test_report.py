"""Reports, comparisons, and the monitor that measures during a fit."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from fitted import COUNTS, FUNCTIONS, IRIS, SPECIES, WEIGHT, fitted
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat import (
    FlatCommitteeClassifier,
    FlatMLPClassifier,
    FlatMLPRegressor,
    FlatnessMonitor,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from skflat._callbacks import HAS_CALLBACKS
from skflat.measures import (
    MEASURES,
    HessianTrace,
    LocalEnergy,
    Weakness,
    compare,
    flatness_report,
    flip_energy,
    hessian_trace,
    sample_rows,
)

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

needs_callbacks = pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn below 1.9 has none")


def test_a_report_holds_every_affordable_measure():
    estimator, X, y = fitted("classes")
    report = flatness_report(estimator, X, y)
    dear = {"learning_coefficient", "spectral_density"}
    assert set(report) == set(MEASURES) - dear | {"not_measured"}
    assert report.not_measured == {}
    for name, found in report.items():
        if name != "not_measured":
            assert found.value == FUNCTIONS[name](estimator, X, y).value


def test_a_report_prints_as_a_table_and_is_a_frame():
    report = flatness_report(*fitted("classes"), measures=["sharpness", "local_energy"])
    lines = str(report).splitlines()
    assert lines[0].split() == ["measure", "value", "stderr", "kind"]
    assert [line.split()[0] for line in lines[1:]] == ["sharpness", "local_energy"]
    assert lines[1].split()[-1] == "exact"
    frame = report.to_frame()
    assert frame.loc["sharpness", "value"] == report.sharpness.value
    assert list(frame.columns) == ["value", "stderr", "kind", "converged", "n_evals"]
    assert repr(report) == str(report)


def test_beside_weakness_stand_its_rivals_and_the_bound():
    names = flatness_report(*fitted("classes")).to_frame().index.tolist()
    beside = ["live_units", "effective_rank", "normalized_margin", "pac_bayes_bound"]
    assert names[-5:] == ["weakness", *beside]


def test_what_is_not_defined_is_left_out_and_says_why():
    report = flatness_report(*fitted("counts"), measures=["margins", "sharpness"])
    assert list(report.to_frame().index) == ["sharpness"]
    reason = (
        "Margins needs classes, and this MLP has none. Classifiers have them, and this is a "
        "regression or a completion."
    )
    assert report.not_measured == {"margins": reason}
    assert str(report).splitlines()[-1].endswith(reason)
    report = flatness_report(*fitted("two classes"), measures={"own": Weakness(features="logits")})
    assert "got 'logits'" in report.not_measured["own"]


def test_a_report_of_binary_weights_is_of_flips_and_no_derivatives_of_votes():
    params = {"max_iter": 10, "random_state": 0}
    committee = FlatCommitteeClassifier(solver="replicated_sgd", **params).fit(IRIS, SPECIES > 0)
    report = flatness_report(committee, IRIS, SPECIES > 0)
    assert report.sharpness.value == committee.sharpness_
    assert report.flatness.value == committee.flatness_
    assert np.isfinite([found.value for _, found in report._found()]).all()
    assert "no derivatives" in report.not_measured["dominant_subspace"]
    perceptron = FlatPerceptronClassifier(measures=None, **params).fit(IRIS, SPECIES > 0)
    report = flatness_report(perceptron, IRIS, SPECIES > 0)
    assert report.sharpness.value == flip_energy(perceptron, IRIS, SPECIES > 0).value


def test_binary_weights_beside_real_ones_are_points_of_the_same_sphere():
    params = {"max_iter": 10, "measures": None, "random_state": 0}
    kinds = {"binary": FlatPerceptronClassifier, "real": FlatSphericalPerceptronClassifier}
    both = {name: kind(**params).fit(IRIS, SPECIES > 0) for name, kind in kinds.items()}
    found = compare(both, IRIS, SPECIES > 0, measures=["sharpness"])
    for name, each in both.items():
        assert found[name].sharpness.value == hessian_trace(each, IRIS, SPECIES > 0).value
    with pytest.raises(ValueError, match="measures must be"):
        compare(both, IRIS, SPECIES > 0, measures=["local_entropy"])


def test_a_comparison_is_one_report_an_estimator():
    nets = {"a": fitted("classes")[0], "b": fitted("our classes")[0]}
    found = compare(nets, IRIS, SPECIES, WEIGHT, measures=["sharpness", "local_energy"])
    frame = found.to_frame()
    assert frame.index.tolist() == ["sharpness", "local_energy"]
    for name, net in nets.items():
        assert frame.loc["sharpness", name] == hessian_trace(net, IRIS, SPECIES, WEIGHT).value
    assert str(found).splitlines()[0].split() == ["measure", "a", "b"]
    assert "±" in str(found).splitlines()[2]


def test_estimators_of_a_sequence_are_named_after_their_classes():
    nets = [fitted(name)[0] for name in ("classes", "classes, tanh", "our classes")]
    found = compare(nets, IRIS, SPECIES, measures=["sharpness"])
    assert list(found) == ["MLPClassifier 1", "MLPClassifier 2", "FlatMLPClassifier"]


def test_large_data_are_sampled_and_the_standard_error_knows():
    estimator, X, y = fitted("classes")
    found = flatness_report(estimator, X, y, measures=["sharpness"], max_samples=60).sharpness
    assert found.protocol["n_rows"] == 60
    assert found.protocol["sampled_from"] == 150
    assert found.stderr > 0
    assert found.value == hessian_trace(estimator, *sample_rows(X, y, None, 60, 0)).value
    whole = flatness_report(estimator, X, y, measures=["sharpness"], max_samples=None)
    assert whole.sharpness.stderr == 0


def test_measures_of_ones_own_choice_have_names_of_ones_own():
    chosen = {"small": LocalEnergy(0.1), "large": LocalEnergy(0.5)}
    report = flatness_report(*fitted("classes"), measures=chosen)
    assert report.small.value < report.large.value


@pytest.mark.parametrize(
    "measures",
    [
        "sharpness",
        ["width"],
        LocalEnergy(),
        {"mine": "sharpness"},
        {"mine": LocalEnergy},
        {1: LocalEnergy()},
        {"not_measured": LocalEnergy()},
        3,
    ],
    ids=str,
)
def test_unknown_measures_are_refused(measures):
    with pytest.raises(ValueError, match="measures must be a dict from names to measures or"):
        flatness_report(*fitted("classes"), measures=measures)
    with pytest.raises(ValueError, match="measures must be a dict from names to measures or"):
        FlatnessMonitor(measures)


def test_parameters_of_the_measures_are_checked_before_anything_is_measured():
    with pytest.raises(ValueError, match="'n_draws' parameter"):
        flatness_report(*fitted("classes"), measures={"mine": LocalEnergy(n_draws=0)})


def test_lists_and_frames_are_measured_too():
    estimator, X, y = fitted("classes")
    pipe = make_pipeline(StandardScaler(), FlatMLPClassifier((4,), max_iter=3, random_state=0))
    frame = pd.DataFrame(X, columns=list("abcd"))
    pipe.fit(frame, y)
    series = pd.Series(y, index=np.arange(150)[::-1])
    names = ["sharpness", "margins"]
    found = flatness_report(pipe, frame, series, measures=names, max_samples=50)
    assert found.sharpness.protocol["n_rows"] == 50
    same = flatness_report(estimator, X.tolist(), y.tolist(), measures=names)
    assert same.sharpness.value == hessian_trace(estimator, X, y).value


@pytest.mark.parametrize("max_samples", [0, -1, 0.5, True, "all"])
def test_the_number_of_rows_is_a_positive_integer(max_samples):
    with pytest.raises(ValueError, match="max_samples must be None or an integer >= 1, got"):
        flatness_report(*fitted("classes"), measures=["margins"], max_samples=max_samples)


def test_a_comparison_is_of_several():
    estimator, X, y = fitted("classes")
    with pytest.raises(ValueError, match="estimators must be several, got one MLPClassifier"):
        compare(estimator, X, y)


def test_a_comparison_says_what_it_could_not_measure():
    estimator, X, y = fitted("regression")
    found = compare({"mine": estimator}, X, y, measures=["sharpness", "margins"])
    assert str(found).splitlines()[-1].startswith("mine, margins: Margins needs classes")


def test_a_weakness_that_a_network_does_not_have_is_told_of_beside_those_of_others():
    deep, X, y = fitted("classes")
    linear = fitted("classes, linear")[0]
    measures = {"regions": Weakness(vocabulary="region-class"), "pairs": Weakness()}
    found = compare({"deep": deep, "linear": linear}, X, y, measures=measures)
    assert set(found["deep"]) == {"regions", "pairs", "not_measured"}
    assert "a hidden layer" in found["linear"].not_measured["regions"]
    assert found["linear"]["pairs"].value > 0


def test_one_seed_serves_all_measures_and_estimators():
    """A generator is asked once, so neither order nor place of the work matter."""
    estimator, X, y = fitted("classes")
    names = ["noise_stability", "local_energy", "weakness"]
    reports = [
        compare([estimator, estimator], X, y, measures=order, random_state=np.random.RandomState(3))
        for order in (names, names[::-1])
    ]
    for name in names:
        values = {each[name].value for report in reports for each in report.values()}
        assert len(values) == 1


def test_a_report_survives_a_hessian_that_is_zero():
    """Two classes, all right for certain: the loss is flat to the last bit."""
    estimator, X, y = fitted("two classes")
    certain = copy.deepcopy(estimator)
    certain.coefs_[-1] *= 1e6
    certain.intercepts_[-1] *= 1e6
    with pytest.warns(UserWarning, match="The gradient is 0"):
        report = flatness_report(certain, X, y)
    assert report.sharpness.value == report.hessian_eigenvalues.value == 0
    assert report.maximal_variation.value >= 0
    assert np.isfinite(report.adaptive_sharpness.value)


# The monitor


@needs_callbacks
def test_a_monitor_records_what_the_measure_says_after_every_epoch():
    monitor = FlatnessMonitor({"trace": HessianTrace(), "weak": Weakness()})
    clf = FlatMLPClassifier((4,), max_iter=3, measures=None, random_state=0)
    clf.set_callbacks(monitor).fit(IRIS, SPECIES)
    table = monitor.table()
    assert table["epoch"].tolist() == [1, 2, 3]
    assert table["trace"][-1] == hessian_trace(clf, IRIS, SPECIES).value
    assert table["trace"][0] != table["trace"][1]
    one = FlatMLPClassifier((4,), max_iter=1, measures=None, random_state=0).fit(IRIS, SPECIES)
    assert table["trace"][0] == hessian_trace(one, IRIS, SPECIES).value
    assert list(table) == ["fit", "epoch", "trace", "weak"]


@needs_callbacks
def test_a_fit_with_a_monitor_is_the_same_fit():
    plain = FlatMLPClassifier((4,), max_iter=3, random_state=0).fit(IRIS, SPECIES)
    monitored = FlatMLPClassifier((4,), max_iter=3, random_state=0)
    monitored.set_callbacks(FlatnessMonitor()).fit(IRIS, SPECIES)
    for first, second in zip(plain.coefs_, monitored.coefs_, strict=True):
        assert_array_equal(first, second)
    assert plain.sharpness_ == monitored.sharpness_


@needs_callbacks
def test_a_monitor_may_look_at_some_epochs_and_rows_only():
    monitor = FlatnessMonitor(["sharpness"], every=4, max_samples=60)
    reg = FlatMLPRegressor("poisson", (4,), max_iter=10, measures=None, random_state=0)
    reg.set_callbacks(monitor).fit(IRIS, COUNTS, sample_weight=WEIGHT)
    assert monitor.table()["epoch"].tolist() == [1, 5, 9]
    assert (monitor.table()["sharpness"] > 0).all()


@needs_callbacks
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_monitor_of_a_search_numbers_the_fits(n_jobs):
    monitor = FlatnessMonitor(["sharpness"])
    clf = FlatMLPClassifier((4,), max_iter=2, measures=None, random_state=0)
    grid = {"rho": [0.0, 0.1]}
    GridSearchCV(clf.set_callbacks(monitor), grid, cv=2, n_jobs=n_jobs).fit(IRIS, SPECIES)
    table = monitor.table()
    assert np.bincount(table["fit"]).tolist() == [2] * 5  # two folds, two radii, and the refit


@needs_callbacks
def test_a_monitor_draws_one_axes_a_measure():
    import matplotlib.pyplot as plt

    monitor = FlatnessMonitor(["sharpness", "flatness"])
    clf = FlatMLPClassifier((4,), max_iter=3, measures=None, random_state=0)
    clf.set_callbacks(monitor).fit(IRIS, SPECIES)
    axes = monitor.plot()
    assert [ax.get_ylabel() for ax in axes] == ["sharpness", "flatness"]
    for ax in axes:
        (line,) = ax.get_lines()
        assert_array_equal(line.get_ydata(), monitor.table()[ax.get_ylabel()])
    assert monitor.plot(axes)[0] is axes[0]
    plt.close("all")


@needs_callbacks
def test_a_monitor_pickles_with_what_it_recorded():
    monitor = FlatnessMonitor(["sharpness"])
    clf = FlatMLPClassifier((4,), max_iter=2, measures=None, random_state=0)
    clf.set_callbacks(monitor).fit(IRIS, SPECIES)
    again = pickle.loads(pickle.dumps(monitor)).table()
    assert_array_equal(again["sharpness"], monitor.table()["sharpness"])


@pytest.mark.parametrize("every", [0, 1.5, "often"])
def test_the_epochs_between_two_records_are_a_positive_integer(every):
    with pytest.raises(ValueError, match=f"every must be an integer >= 1, got {every!r}"):
        FlatnessMonitor(every=every)
    with pytest.raises(ValueError, match=f"max_samples must be an integer >= 1, got {every!r}"):
        FlatnessMonitor(max_samples=every)


@pytest.mark.skipif(HAS_CALLBACKS, reason="of scikit-learn below 1.9")
def test_a_monitor_needs_callbacks():
    with pytest.raises(ImportError, match=r"need scikit-learn 1\.9"):
        FlatnessMonitor()

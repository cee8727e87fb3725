"""Change points of curves, and the monitor that looks for transitions in training."""

from itertools import combinations, pairwise

import matplotlib

matplotlib.use("Agg")  # the pictures are looked at by no one

import numpy as np
import pytest
from fitted import IRIS, LENGTHS, SPECIES
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import entropy

from skflat import FlatMLPClassifier, FlatMLPRegressor, TransitionMonitor
from skflat._callbacks import HAS_CALLBACKS
from skflat.displays import TransitionDisplay
from skflat.measures import HessianProduct, change_points, effective_rank, hessian_trace
from skflat.measures.monitors import _transitions
from skflat.problems import as_problem

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
needs_callbacks = pytest.mark.skipif(not HAS_CALLBACKS, reason="of scikit-learn below 1.9")
T = np.arange(40.0)

CURVES = {
    "line": (3 - 2 * T, []),
    "constant": (np.full(40, 7.0), []),
    "step": (np.where(T < 15, 1.0, 2.0), [15]),
    "kink": (np.minimum(T, 20.0), [20]),
    "peak": (np.where(T < 12, 0.0, np.where(T < 16, 9.0, 1.0)), [12, 16]),
    "three": (np.select([T < 10, T < 18, T < 30], [T, 25 - T, 2 * T], 0.0), [10, 18, 30]),
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_pieces_without_noise_are_found(name, scale):
    values, places = CURVES[name]
    found = change_points(scale * values, 3 * T, most=4)
    # The point of a kink lies on both lines.
    assert len(found) == len(places)
    assert_allclose(found, 3 * np.array(places), atol=3 if name == "kink" else 0)


def test_the_best_cut_is_that_of_all_cuts():
    """Against every cut of twelve points, of a curve of noise."""
    for seed in range(20):
        x = np.sort(np.random.default_rng(seed).random(12))
        y = np.random.default_rng(100 + seed).normal(size=12)
        best = None
        for k in range(4):
            for cut in combinations(range(1, 12), k):
                ends = [0, *cut, 12]
                if min(np.diff(ends)) < 3:
                    continue
                pieces = [slice(*each) for each in pairwise(ends)]
                left = sum(
                    np.sum((y[p] - np.polyval(np.polyfit(x[p], y[p], 1), x[p])) ** 2)
                    for p in pieces
                )
                criterion = 12 * np.log(left) + (3 * (k + 1) - 1) * np.log(12)
                best = min(best or (np.inf, ()), (criterion, cut))
        assert_array_equal(change_points(y, x), x[list(best[1])])


def test_noise_has_few_change_points():
    found = [len(change_points(np.random.default_rng(k).normal(size=60))) for k in range(50)]
    assert np.mean(np.array(found) > 0) < 0.2


def test_few_points_and_points_that_are_nan():
    assert change_points([1.0, 2.0, 9.0, 1.0, 0.0]).tolist() == []
    values = np.where(T < 15, 1.0, 2.0)
    values[[3, 20]] = np.nan
    assert change_points(values).tolist() == [15]
    assert change_points(values, most=0).tolist() == []


def test_curves_that_make_no_sense_are_refused():
    for at in ([0, 1], [0, 2, 1], np.zeros(3)):
        with pytest.raises(ValueError, match="at must increase and have the shape of values"):
            change_points([1.0, 2.0, 3.0], at)
    for most in (-1, 1.5, "all"):
        with pytest.raises(ValueError, match=f"most must be an integer >= 0, got {most!r}"):
            change_points(T, most=most)


def eigenvalues(estimator, X, y):
    problem = as_problem(estimator, X, y)
    product = HessianProduct(problem)
    matrix = np.array([product(unit) for unit in np.eye(len(problem.w))])
    return np.linalg.eigvalsh((matrix + matrix.T) / 2)


def test_the_effective_number_of_equal_and_of_no_eigenvalues():
    number = _transitions.effective_number_of
    assert number(np.array([2.0, 0.0]), np.array([5.0, 9.0])) == pytest.approx(5)
    assert number(np.array([3.0, 1.0]), np.ones(2)) == pytest.approx(np.exp(entropy([3, 1])))
    assert number(np.zeros(3), np.ones(3)) == 1


@needs_callbacks
def test_a_record_of_few_parameters_is_near_the_dense_matrix():
    """Only the random signs are left: as many steps are taken as there are parameters."""
    monitor = TransitionMonitor(share=99.0, max_samples=150)
    reg = FlatMLPRegressor(hidden_layer_sizes=(), max_iter=3, measures=None, random_state=0)
    reg.set_callbacks(monitor).fit(IRIS, LENGTHS[:, 0])
    values = eigenvalues(reg, IRIS, LENGTHS[:, 0])
    rank = np.exp(entropy(np.abs(values)))
    table = monitor.to_frame()
    assert table["epoch"].tolist() == [1, 2, 3]
    assert table["effective_rank"].iloc[-1] == pytest.approx(rank, rel=0.3)
    assert table["complexity"].iloc[-1] == pytest.approx(
        values.sum() / table["effective_rank"].iloc[-1], rel=1e-9
    )


@needs_callbacks
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_records_of_a_network(activation):
    clf = FlatMLPClassifier((6,), activation, max_iter=12, measures=None, random_state=0)
    monitor = TransitionMonitor(share=99.0, max_samples=150)
    clf.set_callbacks(monitor).fit(IRIS, SPECIES)
    table, values = monitor.table(), eigenvalues(clf, IRIS, SPECIES)
    rank = np.exp(entropy(np.abs(values)))
    assert table["effective_rank"][-1] == pytest.approx(rank, rel=0.5)
    trace = table["effective_rank"] * table["complexity"]
    assert trace[-1] == pytest.approx(hessian_trace(clf, IRIS, SPECIES).value, rel=1e-9)
    assert table["feature_rank"][-1] == effective_rank(clf, IRIS, SPECIES).value
    assert table["loss"][-1] == as_problem(clf, IRIS, SPECIES).loss


@needs_callbacks
def test_it_costs_at_most_its_share_and_changes_nothing(monkeypatch):
    rows, plain = [], HessianProduct.__call__

    def counted(self, v):
        rows.append(2 * self.objective.n_rows)
        return plain(self, v)

    monkeypatch.setattr(HessianProduct, "__call__", counted)
    clf = FlatMLPClassifier((4,), max_iter=200, tol=0.0, measures=None, random_state=0)
    alone = FlatMLPClassifier(**clf.get_params()).fit(IRIS, SPECIES)
    monitor = TransitionMonitor(max_samples=30)
    clf.set_callbacks(monitor).fit(IRIS, SPECIES)
    assert 0.02 < sum(rows) / (clf.n_grad_evals_ * len(IRIS)) <= 0.1
    assert len(monitor.table()["epoch"]) > 3
    assert_array_equal(clf.coefs_[0], alone.coefs_[0])


@needs_callbacks
def test_transitions_are_the_change_points_of_the_records_and_are_drawn():
    monitor = TransitionMonitor(share=99.0, max_samples=150)
    clf = FlatMLPClassifier((6,), max_iter=40, tol=0.0, measures=None, random_state=0)
    clf.set_callbacks(monitor).fit(IRIS, SPECIES)
    epochs, values = monitor.curve("effective_rank")
    assert_array_equal(monitor.transitions("effective_rank"), change_points(values, epochs))
    display = TransitionDisplay.from_monitor(monitor, "effective_rank", name="net", most=2)
    assert_array_equal(display.lines_[0].get_ydata(), values)
    assert [mark.get_xdata()[0] for mark in display.marks_] == display.transition.tolist()
    assert len(display.transition) <= 2
    with pytest.raises(ValueError, match=r"what must be one of .*, got 'rank'"):
        monitor.transitions("rank")
    with pytest.raises(ValueError, match="fit must be below 1, got 4"):
        TransitionDisplay.from_monitor(monitor, fit=4)


@pytest.mark.parametrize("settings", [{"share": 0.0}, {"share": True}, {"max_samples": 0}])
def test_parameters_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="must be"):
        TransitionMonitor(**settings)

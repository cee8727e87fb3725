"""Displays show the measured numbers, and the middle of a landscape is the model."""

import copy
import pickle
import subprocess
import sys

import matplotlib

matplotlib.use("Agg")  # the pictures are looked at by no one

import numpy as np
import pytest
from fitted import IRIS, SPECIES, WEIGHT, each_network, fitted, rescaled
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat.displays import LandscapeDisplay, LocalEnergyDisplay, MarginDisplay, SpectrumDisplay
from skflat.measures import (
    hessian_eigenvalues,
    hessian_trace,
    local_energy,
    margins,
    noise_stability,
    spectral_density,
)
from skflat.objective import CHUNK, Objective
from skflat.problems import as_problem

# The fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

OF_MEASURES = {
    LocalEnergyDisplay: (local_energy, {"n_draws": 4, "noise": "block", "scale": [0.1, 0.3]}),
    SpectrumDisplay: (spectral_density, {"n_probes": 3, "n_steps": 5}),
    MarginDisplay: (margins, {"normalization": "row"}),
}
each_display = pytest.mark.parametrize("display", OF_MEASURES, ids=lambda d: d.__name__)
LANDSCAPES = {
    "curve": {"n_points": 5},
    "map": {"n_points": 5, "n_directions": 2},
    "eigen": {"n_points": 5, "directions": "eigen"},
    "eigen map": {"n_points": 5, "n_directions": 2, "directions": "eigen"},
}
each_landscape = pytest.mark.parametrize("settings", LANDSCAPES.values(), ids=LANDSCAPES)


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


def landscape(name, weight=None, **settings):
    return LandscapeDisplay.from_estimator(*fitted(name), weight, **settings)


def measured(display, name="classes"):
    """A measurement, and the display of the same made from the estimator."""
    function, params = OF_MEASURES[display]
    estimator, X, y = fitted(name)
    shown = display.from_estimator(estimator, X, y, WEIGHT, **params)
    return function(estimator, X, y, WEIGHT, **params), shown


def another(name, seed=1):
    """The same network from another start."""
    estimator, X, y = fitted(name)
    names = [name for name in estimator.get_params() if name.endswith("random_state")]
    return clone(estimator).set_params(**dict.fromkeys(names, seed)).fit(X, y)


# The middle is the model


@each_network
@each_landscape
def test_the_middle_of_a_landscape_is_the_model(name, settings):
    shown = landscape(name, WEIGHT, **settings)
    problem = as_problem(*fitted(name), WEIGHT)
    middle = (2,) * shown.loss.ndim
    assert shown.steps[2] == 0
    assert shown.loss[middle] == problem.objective.loss(problem.w)
    along = problem.objective.along(problem.w, [problem.w], [0.0])[:, 0, 0]
    assert_array_equal([shown.loss[middle], shown.error[middle]], along)


def test_the_middle_is_the_model_with_rows_in_chunks():
    estimator, X, y = fitted("classes")
    X, y = (np.tile(array, (CHUNK // 50, *[1] * (array.ndim - 1))) for array in (X, y))
    y = y.ravel()
    problem = as_problem(estimator, X, y)
    shown = LandscapeDisplay.from_estimator(estimator, X, y, n_points=3)
    assert shown.loss[1] == problem.objective.along(problem.w, [problem.w], [0.0])[0, 0, 0]
    assert_allclose(shown.loss[1], problem.objective.loss(problem.w), rtol=1e-14)


@each_landscape
@pytest.mark.parametrize("name", ["classes, deep", "our pipeline", "our sparse classes"])
def test_looking_around_changes_nothing(name, settings):
    estimator, X, y = fitted(name)
    other = another(name)
    before = pickle.dumps((estimator, other, X, y, WEIGHT))
    LandscapeDisplay.from_estimator(estimator, X, y, WEIGHT, **settings)
    LandscapeDisplay.from_estimator(estimator, X, y, WEIGHT, to=other)
    assert pickle.dumps((estimator, other, X, y, WEIGHT)) == before


@each_display
def test_drawing_a_measure_changes_nothing(display):
    before = pickle.dumps((fitted("classes"), WEIGHT))
    measured(display)
    assert pickle.dumps((fitted("classes"), WEIGHT)) == before


# Grids


@pytest.mark.parametrize("n_points", [3, 4, 10, 21, 41, 100])
@pytest.mark.parametrize("span", [0.3, 1.0, 7])
def test_a_grid_is_symmetric_around_an_exact_zero(n_points, span):
    steps = landscape("classes", n_points=n_points, span=span).steps
    assert len(steps) == n_points + 1 - n_points % 2
    assert_array_equal(steps, -steps[::-1])
    assert 0.0 in steps
    assert steps[-1] == span


@pytest.mark.parametrize("n_points", [3, 7, 8, 13, 41, 100])
def test_the_grid_of_a_line_holds_both_ends_exactly(n_points):
    steps = landscape("classes", n_points=n_points, to=another("classes")).steps
    assert n_points <= len(steps) <= n_points + 5
    assert {0.0, 1.0} < set(steps)
    assert (steps[0], steps[-1]) == (-0.25, 1.25)
    assert_allclose(np.diff(steps), 1.5 / (len(steps) - 1), rtol=1e-12)


def test_every_point_of_a_map_is_where_it_says():
    shown = landscape("classes, deep", n_directions=2, n_points=5, span=0.8)
    problem = as_problem(*fitted("classes, deep"))
    first, second = shown.directions
    for row, column in np.ndindex(5, 5):
        w = problem.w + shown.steps[column] * first + shown.steps[row] * second
        assert_allclose(shown.loss[row, column], problem.objective.loss(w), rtol=1e-12)


def test_a_curve_is_the_middle_row_of_the_map():
    curve, both = (landscape("classes", n_directions=n, n_points=5) for n in (1, 2))
    assert_array_equal(both.loss[2], curve.loss)
    assert_array_equal(both.error[2], curve.error)


# Directions


@pytest.mark.parametrize("name", ["classes, deep", "our single precision", "two classes, linear"])
def test_a_filter_direction_has_the_norms_of_the_network(name):
    shown = landscape(name, n_directions=2, n_points=3)
    problem = as_problem(*fitted(name))
    for direction in shown.directions:
        assert direction.dtype == problem.w.dtype
        changes = list(problem.objective.layout.views(direction).values())
        for own, change in zip(
            list(problem.objective.layout.views(problem.w).values()), changes, strict=True
        ):
            if own.ndim == 1:
                assert_array_equal(change, 0)
            else:
                norms = [np.linalg.norm(array, axis=0) for array in (own, change)]
                assert_allclose(*norms, rtol=1e-5)


def test_filter_directions_are_random_and_repeat():
    first, again, other = (
        landscape("classes", n_directions=2, n_points=3, random_state=seed) for seed in (0, 0, 1)
    )
    assert_array_equal(first.directions, again.directions)
    assert_array_equal(first.loss, again.loss)
    drawn = np.array([*first.directions, *other.directions])
    cosines = np.corrcoef(drawn) - np.eye(4)
    assert np.abs(cosines).max() < 0.6


def test_a_filter_normalised_curve_does_not_notice_a_rescaling_of_layers():
    estimator, X, y = fitted("classes")
    same = LandscapeDisplay.from_estimator(rescaled(estimator, 3.7), X, y)
    assert_allclose(same.loss, landscape("classes").loss, rtol=1e-10)


@pytest.mark.parametrize("name", ["classes", "classes, tanh", "regression, linear"])
def test_the_curvature_along_an_eigenvector_is_its_eigenvalue(name):
    """From the second difference, for networks above and below the size of a dense matrix."""
    estimator, X, y = fitted(name)
    values = hessian_eigenvalues(estimator, X, y, k=2, tol=1e-10).table["eigenvalue"]
    shown = landscape(name, directions="eigen", n_directions=2, n_points=3, span=1e-3)
    assert_allclose(np.linalg.norm(shown.directions, axis=1), 1, rtol=1e-10)
    assert abs(np.dot(*shown.directions)) < 1e-6
    for curve, value, axis in zip(
        (shown.loss[1], shown.loss[:, 1]), values, shown.axes, strict=True
    ):
        assert_allclose((curve[0] - 2 * curve[1] + curve[2]) / 1e-6, value, rtol=1e-3)
        assert axis.endswith(f"{value:.3g}")


def test_the_loss_of_a_linear_regression_is_a_parabola_along_any_line():
    """Its second difference is the quadratic form of the Hessian, at any step."""
    estimator, X, y = fitted("regression, linear")
    problem = as_problem(estimator, X, y)
    for settings in (
        {"directions": "filter"},
        {"directions": "eigen"},
        {"to": another("regression, linear")},
    ):
        shown = landscape("regression, linear", span=5, **settings)
        (h,), step = shown.directions, shown.steps[1] - shown.steps[0]
        slope = problem.objective.loss_gradient(problem.w)[1] @ h
        curvature = np.mean((X @ h[:2] + h[2]) ** 2)
        expected = (
            problem.objective.loss(problem.w) + slope * shown.steps + curvature * shown.steps**2 / 2
        )
        assert_allclose(shown.loss, expected, rtol=1e-10)
        assert_allclose(np.diff(shown.loss, 2), curvature * step**2, rtol=1e-6)


# The line between two networks


@each_network
def test_a_line_has_the_losses_of_both_networks_at_its_ends(name):
    estimator, X, y = fitted(name)
    other = another(name)
    shown = LandscapeDisplay.from_estimator(estimator, X, y, WEIGHT, to=other)
    for step, network in ((0, estimator), (1, other)):
        problem = as_problem(network, X, y, WEIGHT)
        there = shown.steps == step
        assert shown.loss[there] == problem.objective.loss(problem.w)
        error = problem.objective.along(problem.w, [problem.w], [0.0])[1, 0, 0]
        assert shown.error[there] == error


def test_a_line_back_is_the_same_line():
    estimator, X, y = fitted("classes, deep")
    other = another("classes, deep")
    there = LandscapeDisplay.from_estimator(estimator, X, y, to=other)
    back = LandscapeDisplay.from_estimator(other, X, y, to=estimator)
    assert_allclose(there.loss, back.loss[::-1], rtol=1e-10)


def test_a_line_to_itself_is_flat():
    shown = landscape("classes", to=fitted("classes")[0])
    assert_array_equal(shown.loss, shown.loss[0])


def test_a_line_between_networks_of_different_shapes_is_refused():
    message = r"one shape, got \[\(4, 6\), .*\] and \[\(4, 5\), "
    with pytest.raises(ValueError, match=message):
        landscape("classes", to=fitted("classes, deep")[0])


@pytest.mark.parametrize("change", ["activation", "preprocessing", "precision"])
def test_a_line_between_different_functions_is_refused(change):
    estimator, X, y = fitted("classes")
    other = copy.deepcopy(estimator)
    if change == "activation":
        other.activation = "tanh"
    elif change == "preprocessing":
        other = make_pipeline(StandardScaler().fit(2 * X + 1), other)
    else:
        other.coefs_ = [array.astype(np.float32) for array in other.coefs_]
        other.intercepts_ = [array.astype(np.float32) for array in other.intercepts_]
    with pytest.raises(ValueError, match="points in one landscape"):
        LandscapeDisplay.from_estimator(estimator, X, y, to=other)


# Displays of measures


@each_display
def test_a_display_of_an_estimator_is_that_of_its_measurement(display):
    measurement, shown = measured(display)
    again = display.from_measurement(measurement)
    for column, values in measurement.table.items():
        assert_array_equal(getattr(shown, column), values)
        assert_array_equal(getattr(again, column), values)
    for one, two in zip(shown.lines_, again.lines_, strict=True):
        assert_array_equal(one.get_xydata(), two.get_xydata())
    assert shown.ax_.get_xlabel() == again.ax_.get_xlabel()
    assert (shown.name, again.name) == ("MLPClassifier", None)


@pytest.mark.parametrize("what", ["loss", "error"])
def test_a_local_energy_is_drawn_in_a_band_of_two_standard_errors(what):
    found = local_energy(*fitted("classes"), n_draws=5)
    shown = LocalEnergyDisplay.from_measurement(found, what=what)
    prefix = {"loss": "rise", "error": "error_rise"}[what]
    rise, stderr = found.table[prefix], found.table[f"{prefix}_stderr"]
    assert_array_equal(shown.lines_[0].get_xydata().T, [found.table["scale"], rise])
    corners = shown.band_.get_paths()[0].vertices
    ends = (found.table["scale"], rise - 2 * stderr, rise + 2 * stderr)
    for scale, low, high in zip(*ends, strict=True):
        at = corners[corners[:, 0] == scale, 1]
        assert_allclose([at.min(), at.max()], [low, high], rtol=1e-12)


def test_a_local_energy_rises_with_half_the_trace_for_small_isotropic_noise():
    estimator, X, y = fitted("classes, tanh")
    shown = LocalEnergyDisplay.from_estimator(
        estimator, X, y, noise="isotropic", scale=[0.001, 0.002], n_draws=400
    )
    trace = hessian_trace(estimator, X, y).value
    rise, scale = shown.lines_[0].get_ydata(), shown.lines_[0].get_xdata()
    assert (np.abs(rise - scale**2 / 2 * trace) < 4 * shown.rise_stderr).all()


def test_a_noise_stability_is_drawn_without_its_error():
    found = noise_stability(*fitted("classes"), n_draws=4)
    shown = LocalEnergyDisplay.from_measurement(found)
    assert_array_equal(shown.lines_[0].get_ydata(), found.table["rise"])
    with pytest.raises(ValueError, match=r"what must be one of \('loss',\), got 'error'"):
        shown.plot(what="error")


def test_a_spectrum_leaves_out_what_is_less_than_one_eigenvalue():
    found = spectral_density(*fitted("classes"), n_probes=4)
    shown = SpectrumDisplay.from_measurement(found)
    peak = 1 / (found.protocol["n_parameters"] * found.protocol["width"] * np.sqrt(2 * np.pi))
    eigenvalue, seen = shown.lines_[0].get_xydata().T
    assert_array_equal(eigenvalue, found.table["eigenvalue"])
    assert_array_equal(np.isnan(seen), found.table["density"] < peak / 10)
    assert_array_equal(seen[~np.isnan(seen)], found.table["density"][~np.isnan(seen)])
    assert shown.ax_.get_yscale() == "log"
    # Not much of the whole is left out.
    assert np.nansum(seen) * (eigenvalue[1] - eigenvalue[0]) > 0.95


def test_a_spectrum_without_protocol_is_drawn_too():
    table = spectral_density(*fitted("classes"), n_probes=4).table
    seen = SpectrumDisplay(**table).plot().lines_[0].get_ydata()
    assert np.nanmin(seen) >= 1e-6 * table["density"].max()


def test_the_curve_of_margins_is_the_share_of_rows_below():
    found = margins(*fitted("classes"))
    shown = MarginDisplay.from_measurement(found)
    for margin, share in shown.lines_[0].get_xydata():
        below = np.mean(found.samples < margin), np.mean(found.samples <= margin)
        assert below[0] - 0.01 <= share <= below[1] + 0.01
    wrong = 1 - fitted("classes")[0].score(IRIS, SPECIES)
    assert abs(np.interp(0, *shown.lines_[0].get_xydata().T) - wrong) < 0.02


# Drawing


def all_displays():
    return [measured(display)[1] for display in OF_MEASURES] + [
        landscape("classes", **settings) for settings in LANDSCAPES.values()
    ]


def test_a_display_draws_where_it_is_told_and_returns_itself():
    for shown in all_displays():
        figure, ax = plt.subplots()
        assert shown.plot(ax=ax) is shown
        assert shown.ax_ is ax
        assert shown.figure_ is figure
        assert shown.lines_[0].axes is ax
        assert shown.plot() is shown
        assert shown.ax_ is not ax
        assert ax.get_xlabel()
        assert ax.get_ylabel()
        figure.canvas.draw()
        plt.close("all")


@pytest.mark.parametrize("display", [*OF_MEASURES, LandscapeDisplay], ids=lambda d: d.__name__)
def test_several_estimators_are_drawn_into_one_picture(display):
    params = OF_MEASURES.get(display, (None, {}))[1]
    estimator, X, y = fitted("classes")
    first = display.from_estimator(estimator, X, y, name="one", **params)
    display.from_estimator(estimator, X, y, ax=first.ax_, label="two", color="k", **params)
    display.from_estimator(estimator, X, y, ax=first.ax_, ls="--", **params)
    assert len(plt.get_fignums()) == 1
    legend = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert legend == ["one", "two", "MLPClassifier"]
    assert first.plot(name="renamed").lines_[0].get_label() == "renamed"


def test_a_curve_marks_the_networks():
    (line,) = landscape("classes", to=another("classes")).lines_
    assert_array_equal(line.get_xdata()[line.get_markevery()], [0, 1])
    (line,) = landscape("classes").lines_
    assert_array_equal(line.get_xdata()[line.get_markevery()], [0])
    (mark,) = landscape("classes", n_directions=2, n_points=5).lines_
    assert_array_equal(mark.get_xydata(), [[0, 0]])


@pytest.mark.parametrize("settings", [LANDSCAPES["curve"], LANDSCAPES["map"]], ids=["curve", "map"])
def test_the_error_is_drawn_where_it_is_asked_for(settings):
    shown = landscape("classes", what="error", **settings)
    scale = shown.ax_.get_ylabel() if shown.loss.ndim == 1 else shown.colorbar_.ax.get_ylabel()
    assert scale == "share of wrong labels"
    if shown.loss.ndim == 1:
        assert_array_equal(shown.lines_[0].get_ydata(), shown.error)
    estimator, X, y = fitted("classes")
    assert_allclose(np.ravel(shown.error)[shown.error.size // 2], 1 - estimator.score(X, y))


def test_a_map_is_drawn_where_the_loss_is_infinite_far_out():
    estimator, X, y = fitted("counts")
    shown = LandscapeDisplay.from_estimator(
        estimator, X, y, n_directions=2, span=1e4, n_points=5, cmap="magma"
    )
    assert not np.isfinite(shown.loss).all()
    assert np.isfinite(shown.loss[2, 2])
    shown.figure_.canvas.draw()


def test_a_map_of_constant_loss_is_drawn():
    estimator, X, y = fitted("classes")
    dead = copy.deepcopy(estimator)
    dead.coefs_ = [np.zeros_like(W) for W in dead.coefs_]
    shown = LandscapeDisplay.from_estimator(dead, X, y, n_directions=2, n_points=5)
    assert_array_equal(shown.loss, shown.loss[0, 0])
    shown.figure_.canvas.draw()


# Bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"directions": "steepest"}, r"directions must be one of \('filter', 'eigen'\)"),
        ({"n_directions": 3}, r"n_directions must be one of \(1, 2\), got 3"),
        ({"what": "accuracy"}, r"what must be one of \('loss', 'error'\), got 'accuracy'"),
        ({"span": 0}, "span must be a number > 0, got 0"),
        ({"span": np.inf}, "span must be a number > 0"),
        ({"span": np.nan}, "span must be a number > 0"),
        ({"n_points": 2}, "n_points == 2, must be >= 3"),
    ],
)
def test_bad_parameters_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        landscape("classes", **settings)
    assert not plt.get_fignums()


def test_a_map_needs_no_second_network():
    with pytest.raises(ValueError, match=r"n_directions must be one of \(1,\), got 2"):
        landscape("classes", n_directions=2, to=another("classes"))


def test_a_number_of_points_is_an_integer():
    with pytest.raises(TypeError, match="n_points must be an instance of int"):
        landscape("classes", n_points=5.0)


@pytest.mark.parametrize("display", [*OF_MEASURES, LandscapeDisplay], ids=lambda d: d.__name__)
def test_what_is_not_fitted_is_not_drawn(display):
    with pytest.raises(TypeError, match="Cannot measure MLPClassifier"):
        display.from_estimator(MLPClassifier(), IRIS, SPECIES)


@each_display
def test_a_measurement_of_something_else_is_refused(display):
    with pytest.raises(ValueError, match=rf"{display.__name__} draws a measurement of \w+, with"):
        display.from_measurement(hessian_trace(*fitted("classes")))


def test_a_bad_parameter_of_the_measure_is_refused_by_the_measure():
    with pytest.raises(ValueError, match="The 'n_draws' parameter of LocalEnergy"):
        LocalEnergyDisplay.from_estimator(*fitted("classes"), n_draws=0)


def test_margins_of_a_regression_are_refused():
    with pytest.raises(TypeError, match="this is a regression"):
        MarginDisplay.from_estimator(*fitted("regression"))


# matplotlib


def test_matplotlib_is_imported_only_to_draw():
    program = "import sys, skflat, skflat.displays; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("display", [*OF_MEASURES, LandscapeDisplay], ids=lambda d: d.__name__)
def test_without_matplotlib_the_message_says_what_to_install(display, monkeypatch):
    """And says it before anything is computed."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot")
    monkeypatch.setattr(Objective, "along", None)
    with pytest.raises(ImportError, match=r'pip install "skflat\[plot\]"'):
        display.from_estimator(*fitted("classes"))

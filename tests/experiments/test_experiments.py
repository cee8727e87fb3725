"""The comparison of solvers at an equal budget."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.displays import SolverComparisonDisplay
from skflat.experiments import compare_solvers, standard_error
from skflat.solvers import RSP, SAM, Chain

X, Y = load_iris(return_X_y=True)
CLF = FlatMLPClassifier((6,), learning_rate_init=0.02)
SMALL = {"budget": 8, "n_seeds": 2}


def test_every_solver_spends_the_budget():
    found = compare_solvers(CLF, X, Y, ["adam", "sam", "sgd"], **SMALL)
    assert found.summary()["gradients"].tolist() == [8, 8, 8]
    assert found.summary()["epochs"].tolist() == [8, 4, 8]
    cheap = compare_solvers(CLF, X, Y, {"some": SAM(interval=2), "late": SAM(start=0.5)}, **SMALL)
    assert ((cheap.summary()["gradients"] > 6) & (cheap.summary()["gradients"] <= 8.5)).all()


@pytest.mark.parametrize(
    "solver", [Chain(switch=0.9), RSP(tolerance=0.2), RSP(final_plain=0.1), "lbfgs"], ids=repr
)
def test_a_cost_that_changes_during_training_is_made_up_for(solver):
    found = compare_solvers(CLF, X, Y, {"it": solver}, budget=60, n_seeds=1).runs[0]
    assert 50 < found["gradients"] <= 62 or solver == "lbfgs"
    assert found["gradients"] <= 62


@pytest.mark.parametrize(
    "pipe",
    [
        make_pipeline(CLF),
        make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), PCA(2), CLF)),
    ],
    ids=["one step", "nested"],
)
def test_networks_in_pipelines_are_measured_on_what_they_see(pipe):
    found = compare_solvers(pipe, X, Y, ["adam"], measures=["sharpness"], **SMALL)
    assert (found.column("adam", "sharpness") > 0).all()


# In the few epochs of the budget some seeds learn nothing.
@pytest.mark.filterwarnings("ignore:Training ended no better:sklearn.exceptions.ConvergenceWarning")
def test_a_run_is_the_fit_that_one_would_make_oneself():
    found = compare_solvers(CLF, X, Y, ["adam", "sam"], measures=["sharpness"], **SMALL).runs
    for run in found:
        rows = train_test_split(X, Y, test_size=0.25, stratify=Y, random_state=run["seed"])
        clf = FlatMLPClassifier((6,), learning_rate_init=0.02, solver=run["solver"])
        clf.set_params(max_iter=run["epochs"], random_state=run["seed"], n_iter_no_change=np.inf)
        with pytest.warns(UserWarning, match="Maximum iterations"):
            clf.fit(rows[0], rows[2])
        assert run["score"] == clf.score(rows[1], rows[3])
        assert run["train_score"] == clf.score(rows[0], rows[2])
        assert run["loss"] == clf.loss_
        assert run["sharpness"] == clf.sharpness_
        assert run["gradients"] == clf.n_grad_evals_


def test_solvers_are_paired():
    """The same solver under two names does the same, seed by seed."""
    found = compare_solvers(CLF, X, Y, {"one": "sam", "two": SAM()}, **SMALL)
    assert_array_equal(found.column("one", "score"), found.column("two", "score"))
    assert found.summary().loc["two", "difference"] == 0
    assert found.summary().loc["two", "difference_stderr"] == 0


def test_a_solver_may_bring_parameters_of_its_own():
    solvers = {"slow": {"solver": "adam", "learning_rate_init": 1e-9}, "fast": "adam"}
    found = compare_solvers(CLF, X, Y, solvers, **SMALL)
    assert (found.column("fast", "loss") < found.column("slow", "loss")).all()


def test_training_may_see_other_targets_than_are_scored():
    noisy = np.random.default_rng(0).permutation(Y)
    found = compare_solvers(CLF, X, Y, ["adam"], y_train=noisy, budget=100, n_seeds=2)
    clean = compare_solvers(CLF, X, Y, ["adam"], budget=100, n_seeds=2)
    assert (found.column("adam", "score") < clean.column("adam", "score") - 0.2).all()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        compare_solvers(CLF, X, Y, ["adam"], y_train=noisy[1:])


def test_a_solver_that_diverges_does_not_take_the_others_with_it():
    solvers = {"good": "adam", "bad": {"solver": "sgd", "learning_rate_init": 1e200}}
    with pytest.warns(UserWarning, match="bad diverged with seed 0"):
        found = compare_solvers(CLF, X, Y, solvers, budget=8, n_seeds=1)
    assert found.column("good", "score")[0] > 0
    assert np.isnan(found.column("bad", "score")[0])


def test_the_summary_is_that_of_the_runs():
    found = compare_solvers(CLF, X, Y, ["sgd", "adam"], budget=8, n_seeds=3)
    frame, summary = found.to_frame(), found.summary()
    scores = frame.pivot_table(index="seed", columns="solver", values="score")
    assert summary.loc["adam", "score"] == pytest.approx(scores["adam"].mean(), rel=1e-12)
    difference = scores["adam"] - scores["sgd"]
    assert summary.loc["adam", "difference"] == pytest.approx(difference.mean(), rel=1e-12)
    assert summary.loc["adam", "difference_stderr"] == pytest.approx(difference.sem(), rel=1e-12)
    assert summary.loc["adam", "stderr"] == pytest.approx(scores["adam"].sem(), rel=1e-12)
    assert np.isnan(standard_error(np.ones(1)))


def test_a_radius_is_chosen_for_solvers_that_have_one():
    found = compare_solvers(CLF, X, Y, ["adam", "sam"], rhos=[0.05, 1e6], budget=100, n_seeds=2)
    chosen = {(run["solver"], run["rho"]) for run in found.runs}
    assert chosen == {("adam", "auto"), ("sam", 0.05)}  # so far out there is nothing to learn
    by_name = compare_solvers(CLF, X, Y, ["sam", "asam"], rhos={"asam": [0.3]}, **SMALL)
    assert {(run["solver"], run["rho"]) for run in by_name.runs} == {("sam", "auto"), ("asam", 0.3)}


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_workers_change_nothing(n_jobs):
    alone = compare_solvers(CLF, X, Y, ["adam", "sam"], **SMALL).runs
    together = compare_solvers(CLF, X, Y, ["adam", "sam"], n_jobs=n_jobs, **SMALL).runs
    for first, second in zip(alone, together, strict=True):
        assert first | {"seconds": 0} == second | {"seconds": 0}


def test_pipelines_and_regressors_are_compared_too():
    inputs, y = load_diabetes(return_X_y=True)
    reg = make_pipeline(StandardScaler(), FlatMLPRegressor(hidden_layer_sizes=(5,)))
    found = compare_solvers(reg, inputs, y, ["sgd", "sam"], measures=["sharpness"], **SMALL)
    assert (found.to_frame()["sharpness"] > 0).all()
    assert reg[-1].solver == "sam"
    assert not hasattr(reg[-1], "coefs_")


def test_a_comparison_is_drawn():
    import matplotlib.pyplot as plt

    found = compare_solvers(CLF, X, Y, ["adam", "sam"], **SMALL)
    display = SolverComparisonDisplay.from_comparison(found)
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["adam", "sam"]
    means = display.bars_.lines[0].get_xdata()
    assert_array_equal(means, found.summary()["score"])
    assert display.plot(display.ax_) is display
    plt.close("all")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"solvers": "sam"}, "solvers must be a sequence of names or a dict .* got 'sam'"),
        ({"solvers": []}, "solvers must be"),
        ({"budget": 0}, "budget must be a number > 0, got 0"),
        ({"budget": np.inf}, "budget must be a number > 0, got inf"),
        ({"rhos": []}, "rhos must be None, one or more numbers"),
        ({"rhos": 0.1}, "rhos must be None, one or more numbers"),
        ({"rhos": {"smm": [0.1]}}, "rhos must be None, one or more numbers"),
        ({"measures": "sharpness"}, "measures must be a dict"),
        ({"n_seeds": 1.5}, r"n_seeds must be a number > 0, got 1\.5"),
        ({"budget": 1.5}, r"budget=1\.5 does not suffice: one epoch of 'sam' costs 2 gradients"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        compare_solvers(CLF, X, Y, **{"solvers": ["sam"]} | settings)

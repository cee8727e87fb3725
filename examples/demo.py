"""Flat networks beside scikit-learn's own, at an equal budget of gradient evaluations.

    python examples/demo.py --data digits     # digits, clean and noisy, and breast cancer
    python examples/demo.py --data fashion    # Fashion-MNIST from OpenML, clean and noisy

On every data set five networks of the same shape start from the same parameters:

* scikit-learn's MLPClassifier and our ``adam``, the same method: rows that agree up to rounding;
* ``adam`` for half the epochs: as many steps as ``sam`` takes, at half the budget;
* ``sam``: a step costs two gradients, so half the epochs use up the whole budget;
* ``sam`` with the ``rho`` that cross-validation on the training rows chose.

Prints a table and saves a picture in results/.
"""

import argparse
import socket
import sys
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, NullLocator
from sklearn.datasets import fetch_openml, load_breast_cancer, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skflat import FlatMLPClassifier
from skflat.measures import hessian_trace, level_set_distance, sample_rows, weakness

SEED = 0
RHOS = [0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
# Patience without end: a fit that stopped early would not spend its budget.
COMMON = {"n_iter_no_change": np.inf, "random_state": SEED}


# ---------------------------------------------------------------------------------- models


def scikit_learn(epochs):
    return make_pipeline(StandardScaler(), MLPClassifier(max_iter=epochs, **COMMON))


def flat(solver, epochs):
    """The same pipeline with a solver to choose, and ``rho="auto"``.

    By default ``fit`` measures as well. ``measures=None`` puts that off, so that the times in the
    table are those of training, and the search does not measure every network it tries.
    """
    network = FlatMLPClassifier(solver=solver, max_iter=epochs, measures=None, **COMMON)
    return make_pipeline(StandardScaler(), network)


def search_rho(task):
    """Cross-validation over ``rho``. It sees the training rows only, and their noisy labels."""
    grid = {"flatmlpclassifier__rho": RHOS}
    search = GridSearchCV(flat("sam", task.budget // 2), grid, cv=task.folds, n_jobs=-1)
    return search.fit(task.X_train, task.y_train)


def best_rho(search):
    return search.best_params_["flatmlpclassifier__rho"]


def measure(model, task):
    """The three numbers of any fitted pipeline, ours or scikit-learn's, on the same 2,000 rows.

    ``model[-1].measure(...)`` would do for ours, but as in ``fit`` its effort goes by that of the
    training, and numbers that are compared want the same effort.
    """
    X, y, _ = sample_rows(task.X_train, task.y_train, None, 2_000, 0)
    return {
        "sharpness": hessian_trace(model, X, y, random_state=0),
        "flatness": level_set_distance(model, X, y, random_state=0),
        "weakness": weakness(model, X, y, random_state=0),
    }


# ------------------------------------------------------------------------------ comparison


class Row(NamedTuple):
    """One line of the table."""

    task: str
    model: str
    right: np.ndarray  # for every test row, whether the prediction was
    log_loss: float
    measurements: dict
    seconds: float
    gradients: float

    @property
    def accuracy(self):
        return self.right.mean()


def compare(task):
    """Fit, score and measure all networks on one task: the table's rows, and the search."""
    models = {
        "MLPClassifier": scikit_learn(task.budget),
        "adam": flat("adam", task.budget),
        "adam, half": flat("adam", task.budget // 2),
        "sam": flat("sam", task.budget // 2),
    }
    seconds = {name: timed_fit(model, task) for name, model in models.items()}
    search = search_rho(task)
    chosen = f"sam, rho={best_rho(search):g} (cv)"
    models[chosen], seconds[chosen] = search.best_estimator_, search.refit_time_

    measured = {name: measure(model, task) for name, model in models.items()}
    rows = [score(name, models[name], task, measured[name], seconds[name]) for name in models]
    spent = {row.gradients for row in rows if row.model in ("MLPClassifier", "adam", "sam")}
    assert spent == {task.budget}, f"unequal budgets: {spent}"
    return rows, search


def timed_fit(model, task):
    start = time.perf_counter()
    model.fit(task.X_train, task.y_train)
    return time.perf_counter() - start


def score(name, model, task, measurements, seconds):
    right = model.predict(task.X_test) == task.y_test
    loss = log_loss(task.y_test, model.predict_proba(task.X_test))
    # An epoch of scikit-learn's network differentiates every training row once.
    gradients = getattr(model[-1], "n_grad_evals_", model[-1].n_iter_)
    return Row(task.name, name, right, loss, measurements, seconds, float(gradients))


# ------------------------------------------------------------------------------------ data


class Task(NamedTuple):
    """A data set, split, with the gradient evaluations (epochs of adam) that a fit may cost."""

    name: str
    budget: int
    folds: int
    X_train: np.ndarray
    X_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray


def bundled_tasks():
    """scikit-learn's digits and breast-cancer sets, half of the rows to test on."""
    digits = split("digits", *load_digits(return_X_y=True))
    cancer = split("breast cancer", *load_breast_cancer(return_X_y=True))
    return [digits, with_label_noise(digits), cancer]


def split(name, X, y):
    parts = train_test_split(X, y, test_size=0.5, stratify=y, random_state=SEED)
    return Task(name, 200, 5, *parts)


def fashion_tasks():
    """Fashion-MNIST: 5,000 of its 60,000 training rows, all of its 10,000 test rows."""
    X, y = download_fashion()
    rows = np.arange(60_000)
    rows, _ = train_test_split(rows, train_size=5_000, stratify=y[rows], random_state=SEED)
    fashion = Task("fashion", 30, 3, X[rows], X[60_000:], y[rows], y[60_000:])
    return [fashion, with_label_noise(fashion)]


def download_fashion():
    """From OpenML, or from the copy that scikit-learn keeps of an earlier download."""
    try:
        with network_timeout(5), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="A network error occurred")
            data = fetch_openml(
                "Fashion-MNIST",
                version=1,
                as_frame=False,
                n_retries=1,
                delay=0.1,
                # Pixels as they are used, to save memory. Classes, column 784, as text: pandas
                # 3.1 reads numbers as categories of numbers, on which scikit-learn 1.9.1 fails.
                read_csv_kwargs={"dtype": dict.fromkeys(range(784), np.float32) | {784: str}},
            )
    except (URLError, TimeoutError, ConnectionError) as error:
        sys.exit(
            f"Could not download Fashion-MNIST from openml.org: {error}\n"
            "It needs a network connection once; scikit-learn keeps a copy for later.\n"
            "The bundled data sets need none: make demo"
        )
    return np.ascontiguousarray(data.data, dtype=np.float32), data.target.astype(int)


@contextmanager
def network_timeout(seconds):
    """Give up on a silent server, where the default is to wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def with_label_noise(task, share=0.2):
    """The task with some training labels replaced by classes drawn at random.

    One in ten of ten classes stays right by chance. The labels of the test rows stay clean.
    """
    rng = np.random.default_rng(SEED)
    y = task.y_train.copy()
    replaced = rng.choice(len(y), size=round(share * len(y)), replace=False)
    y[replaced] = rng.choice(np.unique(y), size=len(replaced))
    return task._replace(name=f"{task.name}, {share:.0%} noise", y_train=y)


# ---------------------------------------------------------------------------------- output


def print_table(rows):
    head = (
        f"{'data set':<19}{'model':<19}{'accuracy':>8}{'log-loss':>10}{'sharpness':>11}"
        f"{'flatness':>10}{'weakness':>10}{'fit s':>8}{'gradients':>11}"
    )
    print(f"\n{head}\n{'-' * len(head)}")
    for before, row in zip([rows[0], *rows], rows, strict=False):
        if row.task != before.task:
            print()
        sharpness, flatness, weak = (
            row.measurements[name].value for name in ("sharpness", "flatness", "weakness")
        )
        print(
            f"{row.task:<19}{row.model:<19}{row.accuracy:>8.4f}{row.log_loss:>10.3f}"
            f"{sharpness:>11.3f}{flatness:>10.4f}{weak:>10.3f}"
            f"{row.seconds:>8.2f}{row.gradients:>11g}"
        )
    print(
        "\nAccuracy and log-loss are those of test rows with clean labels. Flatter is: smaller\n"
        "sharpness, larger flatness. Larger weakness leaves more open. Gradients are rows\n"
        "differentiated per training row. 'adam, half' is what 'sam' becomes at rho=0."
    )


def print_findings(rows, search):
    """What ``sam`` with the chosen ``rho`` gained or lost, and how sure that is."""
    _, adam, adam_half, _, chosen = rows
    print(f"\n{chosen.task}: cross-validation chose rho={best_rho(search):g}. Test accuracy is")
    others = [(adam, "adam, the whole budget"), (adam_half, "adam, half: as many steps")]
    for other, name in others if best_rho(search) > 0 else others[:1]:
        gain = 100 * (chosen.right.astype(float) - other.right)
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        print(f"  {gain.mean():+5.1f} points (standard error {error:.1f}) from that of {name}")


def save_picture(tables, searches, reference, pictured, path):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    draw_search(left, searches[pictured], reference, pictured)
    draw_models(right, tables)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_search(ax, search, reference, name):
    """Cross-validated accuracy over ``rho``, and that of adam with the whole budget."""
    results, best, n_folds = search.cv_results_, search.best_index_, search.n_splits_
    mean = results["mean_test_score"]
    error = results["std_test_score"] / np.sqrt(n_folds)
    at = np.arange(len(RHOS))
    ax.errorbar(at, mean, error, fmt="o-", capsize=3, label="sam")
    ax.plot(at[best], mean[best], "o", ms=14, mfc="none", mec="C3", mew=2, label="chosen")
    middle, spread = reference.mean(), reference.std() / np.sqrt(n_folds)
    ax.axhline(middle, color="0.4", ls="--", label="adam, the same budget")
    ax.axhspan(middle - spread, middle + spread, color="0.4", alpha=0.15, lw=0)
    ax.set_xticks(at, ["0\n(adam, half)", *(f"{rho:g}" for rho in RHOS[1:])])
    ax.set_xlabel("rho")
    ax.set_ylabel("accuracy on held-out training rows, noise included")
    ax.set_title(f"{name}: {n_folds}-fold cross-validation\n(mean and its standard error)")
    ax.grid(alpha=0.3)
    ax.legend(loc="lower left")


def draw_models(ax, tables):
    """Sharpness against test accuracy: a colour for a data set, a marker for a network."""
    # MLPClassifier, the first row, would sit exactly on top of adam.
    markers = {"adam, MLPClassifier": "D", "adam, half": "s", "sam": "v", "sam, rho by cv": "o"}
    for color, (name, rows) in enumerate(tables.items()):
        ax.plot([], [], "_", color=f"C{color}", ms=14, mew=6, label=name)
        for row, marker in zip(rows[1:], markers.values(), strict=True):
            x, y = row.measurements["sharpness"].value, row.accuracy
            error = np.sqrt(y * (1 - y) / len(row.right))
            ax.errorbar(x, y, error, color=f"C{color}", fmt=marker, ms=9, mec="w", alpha=0.8)
    for model, marker in markers.items():
        ax.plot([], [], marker, color="0.4", ms=9, mec="w", label=model)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("sharpness: trace of the Hessian (flatter to the left)")
    ax.set_ylabel("accuracy on test rows, clean labels")
    ax.set_title("The networks of the table\n(accuracy with its standard error)")
    ax.grid(alpha=0.3)
    ax.legend(loc="lower left")


# ------------------------------------------------------------------------------------ main


@contextmanager
def fits_of_fixed_length():
    """Every fit ends because its budget is spent, as it should: no warning about that."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore",
            message="Stochastic Optimizer: Maximum iterations",
            category=ConvergenceWarning,
        )
        yield


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=("digits", "fashion"), default="digits")
    data = parser.parse_args().data
    tasks = {"digits": bundled_tasks, "fashion": fashion_tasks}[data]()

    tables, searches = {}, {}
    # One thread a fit: the times compare, and the search runs a fit on every core.
    with threadpool_limits(limits=1), fits_of_fixed_length():
        for task in tasks:
            print(f"{task.name}: {len(task.y_train)} training rows ...", flush=True)
            tables[task.name], searches[task.name] = compare(task)
        noisy = tasks[1]
        reference = cross_val_score(
            flat("adam", noisy.budget), noisy.X_train, noisy.y_train, cv=noisy.folds, n_jobs=-1
        )

    print_table([row for rows in tables.values() for row in rows])
    for name, rows in tables.items():
        print_findings(rows, searches[name])
    print("\nOne split and one seed; the standard errors are those of the test rows alone.")
    path = Path(__file__).resolve().parents[1] / "results" / f"demo_{data}.png"
    save_picture(tables, searches, reference, noisy.name, path)
    print(f"Picture: results/{path.name}")


if __name__ == "__main__":
    main()

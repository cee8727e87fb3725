"""Does flatness help? Networks beside scikit-learn's own, at an equal budget of gradients.

    python examples/demo.py --data digits     # digits, clean and noisy, and breast cancer
    python examples/demo.py --data fashion    # Fashion-MNIST from OpenML, clean and noisy

On every data set seven networks of the same shape start from the same parameters:

* scikit-learn's MLPClassifier and our ``adam``, the same method: rows that agree up to rounding;
* ``auto``, what `FlatMLPClassifier` does by default: it seeks flat minima at 1.02 gradients a step;
* ``sam``: a step costs two gradients, so it takes half as many steps;
* ``adam, half``: plain training with as many steps as ``sam`` takes, at half the budget;
* ``adam, alpha``: the rival that is hard to beat, plain training with a tuned L2 penalty;
* ``auto, alpha + rho``: the same number of settings, over penalty and radius together.

Prints a table, says what it shows, and saves a picture in results/.
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
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skflat import FlatMLPClassifier, FlatMLPClassifierCV
from skflat.measures import hessian_trace, level_set_distance, sample_rows, weakness

SEED = 0
# Two searches over as many settings: of the penalty, and of penalty and radius.
PENALTIES = [0.0001, 0.01, 0.1, 0.3, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 30.0]
FEW_PENALTIES, RADII = [0.0001, 1.0, 5.0], [0.0, 0.05, 0.1, 0.2]
# Patience without end: a fit that stopped early would not spend its budget.
COMMON = {"n_iter_no_change": np.inf, "random_state": SEED}


# ---------------------------------------------------------------------------------- models


def models_of(task):
    """The networks by name. Every fit differentiates each training row ``task.budget`` times."""
    budget = task.budget
    adam = {"solver": "adam", "rhos": [0.0], "alphas": PENALTIES, "max_iter": budget}
    auto = {"rhos": RADII, "alphas": FEW_PENALTIES, "max_iter": round(budget / 1.02)}
    return {
        "MLPClassifier": scaled(MLPClassifier(max_iter=budget, **COMMON)),
        "adam": flat("adam", budget),
        "auto": flat("auto", round(budget / 1.02)),
        "sam": flat("sam", budget // 2),
        "adam, half": flat("adam", budget // 2),
        "adam, alpha": searched(task, **adam),
        "auto, alpha + rho": searched(task, **auto),
    }


def scaled(network):
    return make_pipeline(StandardScaler(), network)


def flat(solver, epochs):
    """A network with ``rho="auto"``.

    By default ``fit`` measures as well. ``measures=None`` puts that off, so that the times in the
    table are those of training.
    """
    return scaled(FlatMLPClassifier(solver=solver, max_iter=epochs, measures=None, **COMMON))


def searched(task, **params):
    """Cross-validation on the training rows alone, with their noisy labels."""
    return scaled(FlatMLPClassifierCV(cv=task.folds, measures=None, n_jobs=-1, **params, **COMMON))


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
    setting: str
    right: np.ndarray  # for every test row, whether the prediction was
    log_loss: float
    measurements: dict
    seconds: float
    steps: int

    @property
    def accuracy(self):
        return self.right.mean()

    @property
    def sharpness(self):
        return self.measurements["sharpness"].value


def compare(task):
    """Fit, score and measure all networks on one task: the rows of the table, and the models."""
    models = models_of(task)
    rows = {name: fitted_row(name, model, task) for name, model in models.items()}
    return rows, models


def fitted_row(name, model, task):
    start = time.perf_counter()
    model.fit(task.X_train, task.y_train)
    seconds = time.perf_counter() - start
    right = model.predict(task.X_test) == task.y_test
    loss = log_loss(task.y_test, model.predict_proba(task.X_test))
    network, n_batches = model[-1], -(-len(task.y_train) // min(200, len(task.y_train)))
    setting = ", ".join(
        f"{key}={getattr(network, key + '_'):g}"
        for key in ("alpha", "rho")
        if name.endswith(("alpha", "alpha + rho")) and (key == "alpha" or "rho" in name)
    )
    measured = measure(model, task)
    return Row(
        task.name, name, setting, right, loss, measured, seconds, network.n_iter_ * n_batches
    )


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


def print_table(tables):
    head = (
        f"{'data set':<18}{'network':<19}{'accuracy':>8}{'log-loss':>10}{'sharpness':>11}"
        f"{'flatness':>10}{'weakness':>10}{'steps':>8}{'fit s':>8}  chosen"
    )
    print(f"\n{head}\n{'-' * len(head)}")
    for rows in tables.values():
        for row in rows.values():
            sharpness, flatness, weak = (
                row.measurements[name].value for name in ("sharpness", "flatness", "weakness")
            )
            print(
                f"{row.task:<18}{row.model:<19}{row.accuracy:>8.4f}{row.log_loss:>10.3f}"
                f"{sharpness:>11.3f}{flatness:>10.4f}{weak:>10.3f}"
                f"{row.steps:>8}{row.seconds:>8.2f}  {row.setting}"
            )
        print()
    print(
        "Accuracy and log-loss are those of test rows with clean labels. Flatter is: smaller\n"
        "sharpness, larger flatness. Larger weakness leaves more open. All networks but\n"
        "'adam, half' cost the same number of gradients; searches take several fits, in parallel.\n"
        "Every step flattens a network that fits its rows, so compare 'sam' at equal steps, too."
    )


def print_findings(rows):
    """What the table of a data set shows, with the standard errors of the test rows."""
    print(f"\n{rows['adam'].task}: test accuracy in points, and sharpness")
    for name, other, why in [
        ("auto", "adam", "flat minima for nothing to tune"),
        ("adam, alpha", "adam", "a tuned penalty instead"),
        ("auto, alpha + rho", "adam, alpha", "both, at as many settings"),
        ("sam", "adam", "two gradients a step, at equal cost"),
        ("sam", "adam, half", "the same, at equal steps"),
    ]:
        gain = 100 * (rows[name].right.astype(float) - rows[other].right)
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        sharper = rows[name].sharpness / rows[other].sharpness
        print(
            f"  {name:<18}from {other:<12}{gain.mean():+6.1f} (standard error {error:.1f}), "
            f"sharpness x {sharper:<7.3g}{why}"
        )


def save_picture(tables, search, pictured, path):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    draw_search(left, search, pictured)
    draw_models(right, tables)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_search(ax, search, name):
    """Cross-validated accuracy over ``rho``, a line for every penalty."""
    results = search.cv_results_
    mean, spread = results["mean_test_score"], results["std_test_score"]
    error = spread / np.sqrt(search.n_splits_)
    alphas, rhos = (np.asarray(results[f"param_{key}"], float) for key in ("alpha", "rho"))
    at = {rho: place for place, rho in enumerate(search.rhos_)}
    for alpha in search.alphas_:
        line = (alphas == alpha) & np.asarray(results["finished"], bool)
        places = [at[rho] for rho in rhos[line]]
        ax.errorbar(places, mean[line], error[line], fmt="o-", capsize=3, label=f"alpha={alpha:g}")
    best = search.best_index_
    ax.plot(at[rhos[best]], mean[best], "o", ms=14, mfc="none", mec="k", mew=2, label="chosen")
    ax.set_xticks(range(len(at)), ["0\n(adam)", *(f"{rho:g}" for rho in search.rhos_[1:])])
    ax.set_xlabel("rho")
    ax.set_ylabel("accuracy on held-out training rows, noise included")
    ax.set_title(f"{name}: {search.n_splits_}-fold cross-validation\n(settings trained to the end)")
    ax.grid(alpha=0.3)
    ax.legend(loc="best")


def draw_models(ax, tables):
    """Sharpness against test accuracy: a colour for a data set, a marker for a network."""
    # MLPClassifier, the first row, would sit exactly on top of adam.
    names = [name for name in next(iter(tables.values())) if name != "MLPClassifier"]
    markers = dict(zip(names, "DovsP*", strict=True))
    for color, (data, rows) in enumerate(tables.items()):
        ax.plot([], [], "_", color=f"C{color}", ms=14, mew=6, label=data)
        for name, marker in markers.items():
            accuracy = rows[name].accuracy
            error = np.sqrt(accuracy * (1 - accuracy) / len(rows[name].right))
            style = {"color": f"C{color}", "fmt": marker, "ms": 9, "mec": "w", "alpha": 0.8}
            ax.errorbar(rows[name].sharpness, accuracy, error, **style)
    for name, marker in markers.items():
        ax.plot([], [], marker, color="0.4", ms=9, mec="w", label=name)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("sharpness: trace of the Hessian (flatter to the left)")
    ax.set_ylabel("accuracy on test rows, clean labels")
    ax.set_title("The networks of the table\n(accuracy with its standard error)")
    ax.grid(alpha=0.3)
    ax.legend(loc="lower left", fontsize="small")


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

    tables, models = {}, {}
    # One thread a fit: the times compare, and the searches run a fit on every core.
    with threadpool_limits(limits=1), fits_of_fixed_length():
        for task in tasks:
            print(f"{task.name}: {len(task.y_train)} training rows ...", flush=True)
            tables[task.name], models[task.name] = compare(task)

    print_table(tables)
    for rows in tables.values():
        print_findings(rows)
    print("\nOne split and one seed; the standard errors are those of the test rows alone.")
    noisy, path = (
        tasks[1].name,
        Path(__file__).resolve().parents[1] / "results" / f"demo_{data}.png",
    )
    save_picture(tables, models[noisy]["auto, alpha + rho"][-1], noisy, path)
    print(f"Picture: results/{path.name}")


if __name__ == "__main__":
    main()

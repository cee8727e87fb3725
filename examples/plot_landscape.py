"""The landscape around a network, and between two of them.

    python examples/plot_landscape.py

Adam and SAM train the same network from the same start on scikit-learn's digits, a fifth of whose
training labels are drawn at random, with equal budgets of gradients: SAM takes half as many steps.
Four views of what they found:

* the loss along one random direction, the same one for both, filter-normalised: steps are relative
  to the weights;
* the loss along the most curved direction of each, the Hessian's top eigenvector: steps are
  distances;
* adam's surroundings in two random directions;
* the straight line from adam's network to SAM's.

Prints what the pictures show in numbers, beside the measures of the same, and saves them in
results/.
"""

import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skflat import FlatMLPClassifier
from skflat.displays import LandscapeDisplay
from skflat.measures import hessian_eigenvalues, hessian_trace, local_energy

SEED, BUDGET = 0, 200
PICTURE = Path(__file__).resolve().parents[1] / "results" / "plot_landscape.png"


def data():
    """Training rows with a fifth of the labels redrawn, and test rows."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, test_size=0.5, stratify=y, random_state=SEED
    )
    rng = np.random.default_rng(SEED)
    redrawn = rng.choice(len(y_train), size=len(y_train) // 5, replace=False)
    y_train[redrawn] = rng.integers(10, size=len(redrawn))
    return X_train, X_test, y_train, y_test


def fit(solver, epochs, X, y):
    """A fit that ends when its budget is spent: no warning about that."""
    network = FlatMLPClassifier(
        solver=solver,
        rho=0.2,
        learning_rate_init=0.01,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        measures=None,
        random_state=SEED,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore",
            message="Stochastic Optimizer: Maximum iterations",
            category=ConvergenceWarning,
        )
        return network.fit(X, y)


def draw(models, X, y, axes):
    """The four views. All displays, by name."""
    (left, right), (below_left, below_right) = axes
    random = {
        name: LandscapeDisplay.from_estimator(model, X, y, name=name, ax=left)
        for name, model in models.items()
    }
    curved = {
        name: LandscapeDisplay.from_estimator(
            model, X, y, directions="eigen", span=2.0, name=name, ax=right
        )
        for name, model in models.items()
    }
    around = LandscapeDisplay.from_estimator(
        models["adam"], X, y, n_directions=2, span=0.5, n_points=31, ax=below_left
    )
    line = LandscapeDisplay.from_estimator(
        models["adam"], X, y, to=models["sam"], name="training", ax=below_right
    )
    return {"random": random, "curved": curved, "around": around, "line": line}


def save_picture(models, X_train, y_train, X_test, y_test):
    figure, axes = plt.subplots(2, 2, figsize=(12, 9.5), layout="constrained")
    shown = draw(models, X_train, y_train, axes)
    between = axes[1, 1]
    shown["test line"] = LandscapeDisplay.from_estimator(
        models["adam"], X_test, y_test, to=models["sam"], name="test, clean", ax=between
    )
    axes[0, 0].set_title("Along one random direction")
    axes[0, 1].set_title("Along the most curved direction of each")
    axes[0, 1].set_xlabel("distance along the top eigenvector of the Hessian")
    axes[1, 0].set_title("Around adam's network, two random directions")
    between.set_title("From adam's network (0) to SAM's (1)")
    for ax in (axes[0, 0], axes[0, 1], between):
        ax.set_yscale("log")
        ax.grid(alpha=0.3)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)
    return shown


# ---------------------------------------------------------------------------------- output


def print_table(models, X_train, y_train, X_test, y_test):
    head = (
        f"{'':<6}{'gradients':>10}{'training':>10}{'test':>8}{'trace':>9}{'largest':>9}"
        f"{'local energy':>18}{'length':>9}"
    )
    print(f"{head}\n{'-' * len(head)}")
    measured = {}
    for name, model in models.items():
        trace, largest, energy = (
            measure(model, X_train, y_train)
            for measure in (hessian_trace, hessian_eigenvalues, local_energy)
        )
        length = np.sqrt(sum(np.sum(W**2) for W in model.coefs_))
        print(
            f"{name:<6}{model.n_grad_evals_:>10g}{model.score(X_train, y_train):>10.4f}"
            f"{model.score(X_test, y_test):>8.4f}{trace.value:>9.3f}{largest.value:>9.3f}"
            f"{energy.value:>9.3f} +- {energy.stderr:.3f}{length:>9.2f}"
        )
        measured[name] = {
            "trace": trace.value,
            "largest eigenvalue": largest.value,
            "local energy": energy.value,
        }
    print(
        "\nGradients are rows differentiated per training row. Accuracy on training rows (noisy\n"
        "labels) and test rows (clean ones). Trace and largest eigenvalue of the Hessian. Local\n"
        "energy: mean rise of the loss when every weight is changed by half of itself, at random,\n"
        "with its standard error. Length of the weights."
    )
    for measure in measured["adam"]:
        print(f"Flatter by {measure}: {min(models, key=lambda name: measured[name][measure])}")


def print_findings(shown):
    print()
    for view in ("random", "curved"):
        for name, display in shown[view].items():
            middle, ends = np.median(display.steps), display.loss[[0, -1]]
            centre = display.loss[display.steps == middle][0]
            print(
                f"{view:<7}{name:<5} loss {centre:.4f} in the middle, "
                f"{ends[0]:.2f} and {ends[1]:.2f} at steps of {display.steps[-1]:g}"
            )
    for name in ("line", "test line"):
        line = shown[name]
        inside = (line.steps >= 0) & (line.steps <= 1)
        ends, top = line.loss[np.isin(line.steps, line.models)], line.loss[inside].max()
        print(
            f"{name:<13}loss {ends[0]:.3f} and {ends[1]:.3f} at the ends, at most {top:.3f} between"
        )


def main():
    X_train, X_test, y_train, y_test = data()
    with threadpool_limits(limits=1):
        models = {
            "adam": fit("adam", BUDGET, X_train, y_train),
            "sam": fit("sam", BUDGET // 2, X_train, y_train),
        }
        print_table(models, X_train, y_train, X_test, y_test)
        print_findings(save_picture(models, X_train, y_train, X_test, y_test))
    print(
        "\nThe measures need not agree: where the training loss goes to 0 so does the Hessian of\n"
        "a log-loss, however fast the loss rises farther out. One split and one seed."
    )
    print(f"Picture: results/{PICTURE.name}")


if __name__ == "__main__":
    main()

"""A convolutional network of your own, written as one function.

    python examples/plot_convolution.py

Two convolutions of 3 x 3 pixels and a linear layer learn to read scikit-learn's digits, of which a
fifth of the training labels is wrong. They are trained by `adam` and by `sam` with a large radius,
at the same number of gradients. The measures are those of skflat's own networks, and `features=`
names the layer that the last affine map reads.

Prints a table and saves a picture in results/.
"""

from pathlib import Path

import autograd.numpy as np
import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skflat import FlatFunctionClassifier
from skflat.displays import LocalEnergyDisplay
from skflat.measures import effective_rank, hessian_eigenvalues, local_energy

SEED = 0
PICTURE = Path(__file__).resolve().parents[1] / "results" / "plot_convolution.png"
#: Epochs and parameters of every way to train; a step of `sam` costs two gradients.
WAYS = {"adam": {"solver": "adam", "max_iter": 40}, "sam": {"rho": 0.5, "max_iter": 20}}

# ----------------------------------------------------------------------------------- model


def shapes(rng, n_features, n_outputs):
    """Kernels as matrices: a row for each of the 9 pixels and each channel."""
    return {
        "K1": (9, 6),
        "b1": (6,),
        "K2": (54, 8),
        "b2": (8,),
        "V": (128, n_outputs),
        "c": (n_outputs,),
    }


def convolutions(params, X):
    """Outputs of the second convolution, (n_rows, 128)."""
    images = np.reshape(X, (-1, 8, 8, 1))
    for layer in "12":
        images = np.tanh(patches(images) @ params[f"K{layer}"] + params[f"b{layer}"])
    return np.reshape(images, (len(X), -1))


def patches(images):
    """All patches of 3 x 3 pixels and their channels in the last axis."""
    size = images.shape[1] - 2
    parts = [images[:, i : i + size, j : j + size] for i in range(3) for j in range(3)]
    return np.concatenate(parts, axis=3)


def forward(params, X):
    return convolutions(params, X) @ params["V"] + params["c"]


# ---------------------------------------------------------------------------------- output


def data():
    X, y = load_digits(return_X_y=True)
    split = train_test_split(X / 16, y, test_size=0.5, stratify=y, random_state=SEED)
    X_train, X_test, y_train, y_test = split
    rng = np.random.default_rng(SEED)
    wrong = rng.choice(len(y_train), size=len(y_train) // 5, replace=False)
    y_train[wrong] = rng.integers(10, size=len(wrong))
    return X_train, X_test, y_train, y_test


def fit(way, X, y):
    clf = FlatFunctionClassifier(
        forward,
        shapes,
        features=convolutions,
        learning_rate_init=0.01,
        batch_size=64,
        n_iter_no_change=np.inf,
        learning_rate="cosine",  # a schedule that is meant to end at max_iter
        measures=None,
        random_state=SEED,
    )
    return clf.set_params(**way).fit(X, y)


def print_table(models, X, y, X_test, y_test):
    print(f"{'':<6}{'gradients':>11}{'train':>8}{'test':>8}{'eigenvalue':>12}{'rank':>8}")
    for name, clf in models.items():
        top = hessian_eigenvalues(clf, X[:200], y[:200], tol=0.01).value
        rank = effective_rank(clf, X, y).value
        scores = f"{clf.score(X, y):>8.3f}{clf.score(X_test, y_test):>8.3f}"
        print(f"{name:<6}{clf.n_grad_evals_:>11.0f}{scores}{top:>12.3g}{rank:>8.1f}")


def save_picture(models, X, y):
    figure = plt.figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subfigures(1, 2)
    for ax, kernel in zip(left.subplots(2, 3).flat, models["sam"].params_["K1"].T, strict=True):
        ax.imshow(kernel.reshape(3, 3), cmap="RdBu")
        ax.set_axis_off()
    left.suptitle("First kernels, trained by sam")
    ax = right.subplots()
    for name, clf in models.items():
        energy = local_energy(clf, X[:200], y[:200], n_draws=20)
        LocalEnergyDisplay.from_measurement(energy, name=name, ax=ax)
    ax.set_title("How much worse under noise")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    X, X_test, y, y_test = data()
    with threadpool_limits(limits=1):
        models = {name: fit(way, X, y) for name, way in WAYS.items()}
        print_table(models, X, y, X_test, y_test)
        save_picture(models, X, y)
    print(f"Picture: results/{PICTURE.name}")


if __name__ == "__main__":
    main()

"""
A convolutional network of your own
===================================

A model does not have to be one of the built-in networks. Whatever can be written as one function of
parameters and rows is trained by the same solvers and measured by the same measures; autograd
derives the gradients. Here it is a small convolutional network that reads digits of which a fifth
has a wrong label, trained plainly and with a large radius.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skflat import FlatFunctionClassifier
from skflat.displays import LocalEnergyDisplay
from skflat.measures import effective_rank, hessian_eigenvalues, local_energy

# %%
# The rows
# --------
# Half of scikit-learn's digits, with a fifth of the training labels drawn at random.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=0.5, stratify=y, random_state=0
)
rng = np.random.default_rng(0)
redrawn = rng.choice(len(y_train), size=len(y_train) // 5, replace=False)
y_train[redrawn] = rng.integers(10, size=len(redrawn))

# %%
# The model
# ---------
# ``shapes`` names the parameters. ``forward`` returns a score for each class. ``convolutions`` is
# the part before the last affine map. It is given as ``features=``, for the measures that re-read
# the last layer. Note the NumPy: it is autograd's.


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


def patches(images):
    """All patches of 3 x 3 pixels and their channels in the last axis."""
    size = images.shape[1] - 2
    parts = [images[:, i : i + size, j : j + size] for i in range(3) for j in range(3)]
    return np.concatenate(parts, axis=3)


def convolutions(params, X):
    """Outputs of the second convolution, (n_rows, 128)."""
    images = np.reshape(X, (-1, 8, 8, 1))
    for layer in "12":
        images = np.tanh(patches(images) @ params[f"K{layer}"] + params[f"b{layer}"])
    return np.reshape(images, (len(X), -1))


def forward(params, X):
    return convolutions(params, X) @ params["V"] + params["c"]


# %%
# Two ways to train, at equal cost
# --------------------------------
# A step of `sam` costs two gradients, so it has half as many epochs.

WAYS = {
    "adam": {"solver": "adam", "max_iter": 80},
    "sam": {"solver": "sam", "rho": 0.5, "max_iter": 40},
}
models = {
    name: FlatFunctionClassifier(
        forward,
        shapes,
        features=convolutions,
        learning_rate_init=0.01,
        learning_rate="cosine",  # a schedule that is meant to end at max_iter
        batch_size=64,
        measures=None,
        random_state=0,
    )
    .set_params(**way)
    .fit(X_train, y_train)
    for name, way in WAYS.items()
}
print(f"{'':<6}{'gradients':>11}{'train':>8}{'test':>8}{'eigenvalue':>12}{'rank':>8}")
for name, clf in models.items():
    top = hessian_eigenvalues(clf, X_train[:100], y_train[:100], tol=0.01).value
    rank = effective_rank(clf, X_train, y_train).value
    scores = f"{clf.score(X_train, y_train):>8.3f}{clf.score(X_test, y_test):>8.3f}"
    print(f"{name:<6}{clf.n_grad_evals_:>11.0f}{scores}{top:>12.3g}{rank:>8.1f}")

# %%
# Plain training fits more of the wrong labels and reads new digits a little worse. The network of
# `sam` is the flatter one: its largest eigenvalue is smaller, and changing every weight at random
# by a share of itself costs it less. One split and one seed: a point of test accuracy is within its
# noise, the flatness is not.

figure, (left, middle, right) = plt.subplots(
    1, 3, figsize=(13, 4), layout="constrained", width_ratios=[1, 1, 1.6]
)
for ax, (name, clf) in zip((left, middle), models.items(), strict=True):
    kernels = np.pad(
        clf.params_["K1"].T.reshape(6, 3, 3), ((0, 0), (0, 1), (0, 1)), constant_values=np.nan
    )
    sheet = np.vstack([np.hstack(kernels[:3]), np.hstack(kernels[3:])])
    limit = np.nanmax(np.abs(sheet))
    ax.imshow(sheet, cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set_title(f"First kernels, by {name}")
    ax.set_axis_off()
for name, clf in models.items():
    energy = local_energy(clf, X_train[:200], y_train[:200], n_draws=20)
    LocalEnergyDisplay.from_measurement(energy, name=name, ax=right)
right.set_title("How much worse under noise")
right.grid(alpha=0.3)
plt.show()

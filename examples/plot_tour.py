"""
A tour in two minutes
=====================

What the library does, from the first fit to a model of your own. Every stop is short, and the other
pages of the gallery and the user guide go on from there.
"""

import warnings

import autograd.numpy as anp
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skflat import (
    FlatFunctionRegressor,
    FlatMatrixFactorization,
    FlatMLPClassifier,
    FlatMLPClassifierCV,
)
from skflat.displays import LandscapeDisplay, RhoPathDisplay, SolverComparisonDisplay
from skflat.experiments import compare_solvers
from skflat.measures import hessian_trace, local_energy, weakness
from skflat.symmetry import sharpen

# %%
# 1. Fit
# ------
# `FlatMLPClassifier` is scikit-learn's ``MLPClassifier`` with another default solver, which seeks
# flat minima for hardly more than the cost of plain training. It goes wherever an estimator goes.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=500, stratify=y, random_state=0
)
pipeline = make_pipeline(MinMaxScaler(), FlatMLPClassifier((32,), max_iter=2000, random_state=0))
pipeline.fit(X_train, y_train)
print(f"test accuracy {pipeline.score(X_test, y_test):.3f}")

# %%
# 2. Three numbers
# ----------------
# Every fit measures how flat the minimum is.
#
# * *Sharpness* is the trace of the Hessian: how strongly the loss curves, over all directions.
#   Smaller is flatter.
# * *Flatness* is how far the parameters can move, at least, until the loss changes by a tenth of
#   what there was to learn. Larger is flatter.
# * *Weakness* is the share of (new row, class) pairs that the last layer leaves open. Larger leaves
#   more open.
#
# None is good or bad by itself. They compare networks of one kind on the same rows, within their
# standard errors.

network = pipeline[-1]
for name in ("sharpness", "flatness", "weakness"):
    found = network.measurements_[name]
    print(f"{name:<10}{found.value:>8.3f} +- {found.stderr:.3f}   {found.kind}")

# %%
# 3. See it
# ---------
# The loss on the way out of the minimum, along a random direction and along the most curved one.

scaled = pipeline[:-1].transform(X_train)
figure, axes = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained", sharey=True)
for ax, directions in zip(axes, ("filter", "eigen"), strict=True):
    LandscapeDisplay.from_estimator(
        network, scaled, y_train, directions=directions, name="the network", ax=ax
    )
    ax.set_title("A random direction" if directions == "filter" else "The most curved direction")
    ax.grid(alpha=0.3)
plt.show()

# %%
# 4. Choose rho
# -------------
# `rho` is the radius over which the solution must stay good. `FlatMLPClassifierCV` searches it by
# cross-validation. (By default it stops settings early that fall behind.) It pays where labels are
# wrong. So we draw a fifth of them at random.

rng = np.random.default_rng(0)
wrong = y_train.copy()
redrawn = rng.choice(len(wrong), size=len(wrong) // 5, replace=False)
wrong[redrawn] = rng.integers(10, size=len(redrawn))
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # so few epochs are for the tour's sake
    search = FlatMLPClassifierCV(
        (32,),
        rhos=[0.0, 0.05, 0.1, 0.2],
        alphas=[1e-4],
        budget=4,  # all to the end, so that the picture shows them all
        cv=3,
        learning_rate_init=0.01,
        max_iter=60,
        select="flattest_within_one_se",
        random_state=0,
    ).fit(scaled, wrong)
    plain = FlatMLPClassifier(
        (32,), solver="adam", learning_rate_init=0.01, max_iter=60, measures=None, random_state=0
    ).fit(scaled, wrong)
unseen = pipeline[:-1].transform(X_test)
print(f"chosen rho {search.rho_:g}")
print(f"test accuracy, right labels: {search.score(unseen, y_test):.3f}", end=", ")
print(f"plain training {plain.score(unseen, y_test):.3f}")
display = RhoPathDisplay.from_estimator(search)
for ax in display.axes_:
    ax.set_xscale("linear")
    ax.grid(alpha=0.3)
plt.show()

# %%
# 5. Measure a network that you have
# ----------------------------------
# Measures take fitted networks of scikit-learn as they are, also at the end of a Pipeline (and
# weights from PyTorch, on a page of its own). The second network here is the first at other
# parameters: all its predictions are the same and its curvature is tenfold. Only some measures
# notice.

mine = MLPClassifier((32,), max_iter=1000, random_state=0).fit(scaled, y_train)
twin = sharpen(mine, scaled, y_train, factor=10)
for measure in (hessian_trace, local_energy, weakness):
    values = [measure(each, scaled, y_train).value for each in (mine, twin)]
    print(f"{measure.__name__:<15}{values[0]:>9.3f}{values[1]:>9.3f}")

# %%
# 6. Compare solvers
# ------------------
# Solvers are names or objects, one parameter apart. A step of `sam` costs two gradients, so a fair
# comparison gives all of them the same number of gradients.

base = FlatMLPClassifier((32,), learning_rate_init=0.01, measures=None)
comparison = compare_solvers(
    base, scaled, y_train, ["adam", "sam", "trace"], y_train=wrong, budget=60, n_seeds=4
)
SolverComparisonDisplay.from_comparison(comparison)
plt.show()

# %%
# 7. A matrix with missing entries
# --------------------------------
# `FlatMatrixFactorization` takes a matrix with NaN, or rows of identifiers and a value. Its default
# solver minimises the expected loss under weight noise exactly.

matrix = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 40))
seen = rng.random(matrix.shape) < 0.4
model = FlatMatrixFactorization(10, rho=0.1, alpha=0, random_state=0)
model.fit(np.where(seen, matrix, np.nan))
error = (model.row_factors_ @ model.components_ - matrix)[~seen]
print(f"relative error on missing entries {np.std(error) / matrix.std():.3f}")

# %%
# 8. A model of your own
# ----------------------
# A function of parameters and rows, written with autograd's NumPy, and the shapes of the
# parameters. Solvers and measures are the same. Here is a wave with unknown frequency, phase and
# decay.


def wave(params, X):
    t = X[:, 0]
    return params["size"] * anp.exp(-params["decay"] * t) * anp.sin(params["speed"] * t)


t = np.linspace(0, 6, 120)[:, None]
target = 2 * np.exp(-0.3 * t[:, 0]) * np.sin(2.5 * t[:, 0]) + 0.1 * rng.normal(size=120)
start = {"size": np.array(1.0), "decay": np.array(0.1), "speed": np.array(2.2)}
own = FlatFunctionRegressor(wave, start, solver="lbfgs", alpha=0, max_iter=500).fit(t, target)
print({name: round(float(value), 2) for name, value in own.params_.items()})
print(f"sharpness {own.sharpness_:.3g}, flatness {own.flatness_:.3g}")

figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
ax.plot(t[:, 0], target, ".", color="0.5", label="rows")
ax.plot(t[:, 0], own.predict(t), lw=2, label="a model of your own")
ax.set(xlabel="t", title="Size, decay and speed of a wave")
ax.grid(alpha=0.3)
ax.legend()
plt.show()

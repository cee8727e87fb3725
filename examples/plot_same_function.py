"""
One function, a hundred times as sharp
======================================

Two networks can be the same function and lie at points of very different curvature. The reason is a
symmetry. A relu unit passes on ``max(0, z)``. If its incoming weights are multiplied by ten and its
outgoing weights divided by ten, its contribution does not change. The curvature does.

So "flat" is a statement about parameters, unless a measure is made to ignore such changes. This
page makes a network a hundred times as sharp, checks that no prediction moves, and asks every
measure whether it has noticed.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skflat import FlatMLPClassifier
from skflat.displays import LandscapeDisplay
from skflat.measures import (
    adaptive_sharpness,
    hessian_eigenvalues,
    hessian_trace,
    level_set_distance,
    local_energy,
    margins,
    normalized_margin,
    orbit_trace,
    relative_flatness,
    weakness,
)
from skflat.symmetry import sharpen

# %%
# Train a network, and sharpen it
# -------------------------------
# :func:`~skflat.symmetry.sharpen` returns a copy with other parameters and equal predictions. Here
# the trace of the Hessian is to grow by a factor of 100.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=500, stratify=y, random_state=0
)
trained = FlatMLPClassifier(
    (32, 16),
    learning_rate_init=0.01,
    learning_rate="cosine",
    max_iter=100,
    measures=None,
    random_state=0,
).fit(X_train, y_train)
sharp = sharpen(trained, X_train, y_train, factor=100)

gap = np.abs(trained.predict_proba(X_test) - sharp.predict_proba(X_test)).max()
print(f"largest difference of a probability on test rows: {gap:.1e}")
for name, network in {"as trained": trained, "sharpened": sharp}.items():
    trace = hessian_trace(network, X_train, y_train).value
    print(f"{name}: test accuracy {network.score(X_test, y_test):.4f}, trace {trace:.4g}")

# %%
# The valley looks different
# --------------------------
# We walk from both networks along the most curved direction of each. The steps are distances in the
# parameters. Nothing but the parameters differs, and yet one valley is much narrower.

figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, network in {"as trained": trained, "sharpened": sharp}.items():
    LandscapeDisplay.from_estimator(
        network, X_train, y_train, directions="eigen", span=1.0, n_points=101, name=name, ax=ax
    )
ax.set_yscale("log")
ax.set(xlabel="distance along the top eigenvector of the Hessian", ylabel="training loss")
ax.set_title("The same predictions, two valleys")
ax.grid(alpha=0.3)
plt.show()

# %%
# Which measures have noticed?
# ----------------------------
# Each measure is taken of both networks, on the same rows and with the same seed. A ratio of 1
# means that the measure sees the function alone, at least under this change.

MEASURES = {
    "trace of the Hessian": hessian_trace,
    "largest eigenvalue": hessian_eigenvalues,
    "distance of the level set": level_set_distance,
    "relative flatness": relative_flatness,
    "adaptive sharpness": adaptive_sharpness,
    "local energy": local_energy,
    "least trace of the orbit": orbit_trace,
    "normalised margin": normalized_margin,
    "margin, lowest tenth": margins,
    "weakness": weakness,
}
ratios = {}
for name, function in MEASURES.items():
    before, after = (function(network, X_train, y_train).value for network in (trained, sharp))
    ratios[name] = after / before
    print(f"{name:<28}{before:>12.4g}{after:>12.4g}   x {after / before:.4g}")

# %%
# The trace, its largest eigenvalue and the distance of the level set belong to the parameters.
# Measures whose noise or radius is relative to each weight do not move. The least trace of the
# orbit is the trace at the flattest of all rescaled networks, so it is the same by construction.
# Weakness and the margin look at predictions.
#
# The lesson is not that the trace is useless. Among networks trained alike it still tells them
# apart. But a trace alone is no property of what the network does.

names = sorted(ratios, key=lambda name: abs(np.log(ratios[name])))
values = np.array([ratios[name] for name in names])
colors = np.where(np.abs(np.log(values)) < 0.05, "C0", "C3")
figure, ax = plt.subplots(figsize=(8, 4.4), layout="constrained")
ax.barh(names, values - 1, left=1, color=colors)
for place, value in enumerate(values):
    to_the_right = value >= 1
    ax.annotate(
        f"{value:.3g}",
        (value, place),
        xytext=(4 if to_the_right else -4, 0),
        textcoords="offset points",
        ha="left" if to_the_right else "right",
        va="center",
    )
ax.axvline(1, color="k", lw=0.8)
ax.set_xscale("log")
ax.margins(x=0.15)
ax.set(xlabel="sharpened network / network as trained")
ax.set_title("Measures that see the parameters (red) and the function (blue)")
# sphinx_gallery_thumbnail_number = 2
plt.show()

"""
How sure is it? Ensembles, Laplace and calibration
==================================================

A network that has learnt its rows by heart says "99 %" too often. This page compares three
remedies: an ensemble of several seeds, Laplace's approximation of the last layer, and
scikit-learn's own calibration on rows held out. First where it can be drawn, for numbers; then for
classes, where probabilities are checked against what happens.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV, CalibrationDisplay
from sklearn.datasets import make_classification
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import train_test_split

from skflat import (
    FlatMLPClassifier,
    FlatMLPEnsembleClassifier,
    FlatMLPEnsembleRegressor,
    FlatMLPRegressor,
    laplace,
)

# %%
# Numbers: a gap in the data
# --------------------------
# The training rows leave a gap. An honest model is less sure there and outside.
# :func:`~skflat.laplace` takes a fitted network and gives its last layer a normal distribution. The
# ensemble trains ten networks from seeds of their own. Both return a standard deviation with each
# prediction. It covers the noise of the rows and what the model does not know.

rng = np.random.default_rng(0)
x = np.concatenate([rng.uniform(-3, -1.4, 40), rng.uniform(1.4, 3, 40)])
target = np.sin(2 * x) + 0.15 * rng.normal(size=len(x))
X = x[:, None]
network = FlatMLPRegressor(
    hidden_layer_sizes=(50,),
    activation="tanh",
    solver="lbfgs",
    alpha=0.01,
    max_iter=3000,
    measures=None,
    random_state=0,
).fit(X, target)
models = {
    "Laplace's approximation": laplace(network, X, target),
    "ensemble of ten": FlatMLPEnsembleRegressor(network, 10, random_state=0).fit(X, target),
}

grid = np.linspace(-5, 5, 400)[:, None]
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", sharey=True)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    mean, std = model.predict(grid, return_std=True)
    ax.fill_between(grid[:, 0], mean - 2 * std, mean + 2 * std, alpha=0.25, label="two deviations")
    ax.plot(grid[:, 0], mean, label="prediction")
    ax.plot(grid[:, 0], np.sin(2 * grid[:, 0]), "k:", lw=1, label="the truth")
    ax.plot(x, target, ".", color="0.4", ms=4)
    ax.set(title=name, ylim=(-4, 4), xlabel="x")
    ax.legend(loc="lower left")
plt.show()
for name, model in models.items():
    inside, middle, outside = model.predict([[-2.0], [0.0], [4.5]], return_std=True)[1]
    print(f"{name:<24} deviation among rows {inside:.2f}, in the gap {middle:.2f}, ", end="")
    print(f"outside {outside:.2f}")

# %%
# Both are less sure in the gap, and much less outside. Both are still too sure: in the gap the
# truth leaves the band. A band tells how far models of this kind disagree, not how wrong the kind
# is.
#
# Classes: are 80 % really 80 %?
# ------------------------------
# Two classes, of whose labels 15 % are wrong: no honest probability is near 0 or 1. The network has
# room to fit nearly all of the 400 rows, and does. A flat network (`sam`, with a radius taken by
# hand and half the epochs, so at equal cost) is one more candidate.

rows, labels = make_classification(
    6400, 20, n_informative=8, flip_y=0.3, class_sep=1.5, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(
    (rows - rows.mean(axis=0)) / rows.std(axis=0), labels, train_size=400, random_state=0
)
plain = FlatMLPClassifier(
    (50,),
    solver="adam",
    learning_rate_init=0.01,
    learning_rate="cosine",
    max_iter=80,
    measures=None,
    random_state=0,
)
flat = clone(plain).set_params(solver="sam", rho=0.5, max_iter=40)
single = plain.fit(X_train, y_train)
models = {
    "one network": single,
    "one network, sam": flat.fit(X_train, y_train),
    "Laplace": laplace(single, X_train, y_train),
    "ensemble of five": FlatMLPEnsembleClassifier(plain, 5, random_state=0).fit(X_train, y_train),
    "calibrated": CalibratedClassifierCV(plain, method="sigmoid", cv=5).fit(X_train, y_train),
}
print(f"training accuracy of one network: {single.score(X_train, y_train):.3f}")
print(f"{'':<18}{'accuracy':>10}{'log-loss':>10}{'Brier':>8}")
losses = {}
for name, model in models.items():
    p = model.predict_proba(X_test)[:, 1]
    losses[name] = log_loss(y_test, p)
    accuracy = np.mean((p > 0.5) == y_test)
    print(f"{name:<18}{accuracy:>10.3f}{losses[name]:>10.3f}{brier_score_loss(y_test, p):>8.3f}")

# %%
# The reliability diagram bins the test rows by the probability of class 1 and shows how often that
# class is right. On the diagonal a probability means what it says. One network, its Laplace
# approximation and the ensemble are all too sure at both ends; the last two only a little less.
# Calibration on rows held out repairs the ends. The flat network is the best of the five here,
# because it did not fit the wrong labels, and it errs in the other direction in the middle: it is
# not sure enough. None of them replaces a look at such a diagram.

colors = [f"C{k}" for k in range(len(models))]
figure, (left, right) = plt.subplots(
    1, 2, figsize=(11.5, 4.8), layout="constrained", width_ratios=[1.15, 1]
)
for (name, model), color in zip(models.items(), colors, strict=True):
    CalibrationDisplay.from_estimator(
        model, X_test, y_test, n_bins=8, strategy="quantile", name=name, ax=left, color=color
    )
left.set(xlabel="mean probability of class 1", ylabel="share of class 1 in the bin", aspect="equal")
left.set_title("Reliability on 6,000 test rows")
left.grid(alpha=0.3)
right.hlines(list(losses), 0.45, list(losses.values()), color=colors, lw=2)
right.scatter(list(losses.values()), list(losses), color=colors, s=90, zorder=3)
for place, value in enumerate(losses.values()):
    right.annotate(f"{value:.3f}", (value, place), (8, -4), textcoords="offset points")
right.invert_yaxis()
right.margins(y=0.12)
right.set(xlabel="mean log-loss on test rows (smaller is better)", xlim=(0.45, 0.7))
right.set_title("What it is worth")
right.grid(alpha=0.3, axis="x")
plt.show()

"""
Weakness, with its proofs
=========================

A classifier that is right on all its training rows has not told us everything. Other classifiers of
the same kind agree with it there and disagree elsewhere. *Weakness* counts how much is left open:
the share of pairs (new input, class) that some classifier of the kind realises while it still
reproduces every training row (Bennett, arXiv:2605.05209).

Nothing is estimated in a decision. An open pair comes with a classifier that realises it. A closed
pair comes with a proof that there is none. This page shows both, where they can be drawn.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skflat import FlatMLPClassifier
from skflat.measures import Weakness, open_pairs

# %%
# Nine points and three classes
# -----------------------------
# The kind of classifier is an affine map: one linear score for each class, and the largest wins. We
# ask for every point of a grid which classes are still open there.

features = np.array(
    [
        (-2, 0),
        (-1.6, 1),
        (-1.2, -0.4),
        (1, 1.6),
        (2, 1),
        (1.7, 2.2),
        (1, -1.7),
        (1.9, -1),
        (1.6, -2.1),
    ]
)
labels = np.repeat([0, 1, 2], 3)
size = 61
grid = np.stack(np.meshgrid(np.linspace(-3, 3, size), np.linspace(-3, 3, size)), axis=2)
pairs = open_pairs(features, labels, grid.reshape(-1, 2))
n_open = pairs.is_open.sum(axis=1).reshape(size, size)
print(f"decided: {pairs.decided.mean():.1%} of the {pairs.decided.size} pairs")
print(f"weakness over the square: {pairs.is_open.mean():.3f}")

figure, ax = plt.subplots(figsize=(6.2, 5), layout="constrained")
image = ax.imshow(
    n_open, origin="lower", extent=(-3.05, 3.05, -3.05, 3.05), cmap="Blues", vmin=0.5, vmax=3.5
)
for k, marker in enumerate("os^"):
    ax.plot(*features[labels == k].T, marker, color=f"C{k + 1}", mec="w", ms=10, label=f"class {k}")
bar = figure.colorbar(image, ax=ax, ticks=[1, 2, 3], label="classes that are open")
ax.set(title="How much nine training rows leave open", aspect="equal")
ax.legend(loc="lower left")
plt.show()

# %%
# Inside the triangle of a class, and in a wedge behind it, everything is settled. Between the
# classes all three are possible.
#
# An open pair: a classifier that does it
# ---------------------------------------
# The point (0, 2.6) at the top lies between classes 0 and 1. Which classes can it have? The witness
# of an open pair is a map: a row of weights for each feature, and the intercepts last.

probe = np.array([[0.0, 2.6]])
answer = open_pairs(features, labels, probe)
print("open classes of the probe:", np.flatnonzero(answer.is_open[0]))
witnesses = {
    outcome: answer.witnesses[answer.witness_of[0, outcome]]
    for outcome in np.flatnonzero(answer.is_open[0])
}


def winner(W, points):
    """The class with the largest score."""
    return (points @ W[:-1] + W[-1]).argmax(axis=-1)


for W in witnesses.values():
    assert (winner(W, features) == labels).all()
    print(f"a classifier that is right on all rows says {winner(W, probe)[0]} at the probe")

# %%
# A closed pair: a proof that nobody can
# --------------------------------------
# A point in the middle of class 1 can only be of class 1. Why not 0? Suppose some map gave it class
# 0 and every training row its own class. Each of these demands is an inequality: a score is larger
# than a rival's. The refutation names a few of these inequalities and positive weights, so that the
# weighted sum of the left sides is 0 whatever the map is. So ``0 > 0``, and there is no such map.
# We add it up by hand.

closed = np.array([[1.5, 1.6]])
refuted = open_pairs(features, labels, closed)
print("open classes:", np.flatnonzero(refuted.is_open[0]))
proof = refuted.refutations[0, 0]
points = np.vstack([features, closed])  # index -1 is the probe, its label the outcome in question
wanted = np.append(labels, 0)
total = np.zeros((3, 3))
for row, rival, weight in zip(proof.rows, proof.rivals, proof.weights, strict=True):
    where = "the probe" if row == -1 else f"row {row}"
    print(f"  {weight:.3f} x ({where}: score of {wanted[row]} exceeds score of {rival})")
    with_one = np.append(points[row], 1.0)
    total[:, wanted[row]] += weight * with_one
    total[:, rival] -= weight * with_one
print(f"coefficients of the weighted sum, at most {np.abs(total).max():.1e}")
print("checked by the package in exact arithmetic:", refuted.proves(0, 0, exactly=True))

# %%
# In the picture the proof is a statement of geometry: the probe lies between rows of class 1, so a
# line cannot part it from all of them.

COLORS, LEVELS = ["C1", "C2", "C3"], [-0.5, 0.5, 1.5, 2.5]
plane = np.stack(np.meshgrid(*2 * [np.linspace(-3, 3, 500)]))
figure, axes = plt.subplots(1, 3, figsize=(13, 5.2), layout="constrained", sharey=True)
shown = [(W, f"at the star: class {outcome}") for outcome, W in list(witnesses.items())[:2]]
for ax, (W, title) in zip(axes, shown, strict=False):
    ax.contourf(*plane, winner(W, np.moveaxis(plane, 0, 2)), LEVELS, colors=COLORS, alpha=0.25)
    ax.plot(*probe[0], "k*", ms=15)
    ax.set_title(f"A classifier that is right on all rows;\n{title}")
used = proof.rows[proof.rows >= 0]
for row, weight in zip(proof.rows, proof.weights, strict=True):
    if row >= 0:
        line = np.stack([features[row], closed[0]])
        axes[2].plot(*line.T, "k-", lw=0.5 + 3 * weight, alpha=0.5, zorder=0)
axes[2].plot(*closed[0], "kX", ms=12, zorder=5)
axes[2].set_title(
    "No classifier makes the cross class 0:\nthe rows of the proof, and their weights"
)
for ax in axes:
    for k, marker in enumerate("os^"):
        ax.plot(*features[labels == k].T, marker, color=f"C{k + 1}", mec="w", ms=10)
    ax.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
plt.show()

# %%
# The same for a network
# ----------------------
# A network ends with an affine map of its own features. `Weakness` re-reads these: all last layers
# that reproduce what the network has learnt. Here the layer before the last has eight units, and
# 100 unseen digits are the probes. The more rows the network has to reproduce, the less is left
# open.

X, y = load_digits(return_X_y=True)
X_train, X_probe, y_train, _ = train_test_split(
    X / 16, y, train_size=800, test_size=100, stratify=y, random_state=0
)
network = FlatMLPClassifier(
    (64, 8),
    solver="adam",
    learning_rate_init=0.01,
    learning_rate="cosine",
    max_iter=80,
    measures=None,
    random_state=0,
).fit(X_train, y_train)
sizes, found = [50, 100, 200, 400, 800], []
measure = Weakness(X_probe=X_probe)
for n_rows in sizes:
    found.append(measure.measure(network, X_train[:n_rows], y_train[:n_rows]))
    print(f"{n_rows:>4} rows: weakness {found[-1].value:.3f} +- {found[-1].stderr:.3f}")

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.errorbar(sizes, [m.value for m in found], [2 * m.stderr for m in found], fmt="o-", capsize=3)
ax.axhline(0.1, color="0.5", ls=":")
ax.text(sizes[0], 0.12, "everything settled: one class of ten for each probe", color="0.4")
ax.set(xscale="log", ylim=(0, 1.03), xlabel="training rows to reproduce", ylabel="weakness")
ax.set_xticks(sizes, sizes)
ax.minorticks_off()
ax.set_title("What a network leaves open (two standard errors over probes)")
ax.grid(alpha=0.3)
plt.show()

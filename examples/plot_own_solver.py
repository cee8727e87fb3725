"""
A solver of your own in ten lines
=================================

A rule of training says in which direction the next step goes. It gets the whole objective and not
only a gradient, so it may ask for the gradient anywhere. Everything else is there already: batches,
learning rates, early stopping, the count of gradients, `partial_fit`, pickling. This page writes a
rule that descends along the gradient at a random point nearby, and compares it with its relatives
at an equal number of gradients.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skflat import FlatMLPClassifier
from skflat.displays import SolverComparisonDisplay
from skflat.experiments import compare_solvers
from skflat.objective import PERTURBATIONS
from skflat.solvers import SAM, Adam, Rule

# %%
# The rule
# --------
# ``direction`` is all that has to be written. ``state`` holds the settings of the estimator (such
# as `rho`), a generator of random numbers of its own, scratch memory, and ``work``, which counts
# the rows that are differentiated. ``delegate`` names the solver to which the rule falls back at
# ``rho=0``.


class RandomClimb(Rule):
    """Gradient at ``w + rho u``, with ``u`` uniform on the unit sphere and drawn for every step."""

    base = "adam"
    default_rho = 0.5

    def delegate(self):
        return Adam()

    def direction(self, objective, w, batch, state):
        u = PERTURBATIONS["sphere"](w, objective.layout.parts).draw(state.rng)
        there = w + state.settings.rho * u
        return objective.loss_gradient(there, batch, work=state.work)


# %%
# Use it
# ------
# An object of the class is a solver like any other.

X, y = load_digits(return_X_y=True)
X, y = X[:800] / 16, y[:800]
clf = FlatMLPClassifier(
    (32,),
    solver=RandomClimb(),
    rho=0.5,
    learning_rate="cosine",
    learning_rate_init=0.01,
    batch_size=50,
    max_iter=50,
    random_state=0,
).fit(X[:400], y[:400])
print(f"test accuracy {clf.score(X[400:], y[400:]):.3f}, sharpness {clf.sharpness_:.3g}")
print(f"gradients of every row: {clf.n_grad_evals_:.0f}")

# %%
# Does it do anything?
# --------------------
# A fifth of the training labels is drawn at random. The rule runs at three radii, beside `adam` and
# `sam`. A step of `sam` costs two gradients and one of the rule costs one, so `sam` takes half the
# steps.

rng = np.random.default_rng(0)
wrong = np.where(rng.random(len(y)) < 0.2, rng.integers(10, size=len(y)), y)
base = FlatMLPClassifier((32,), learning_rate_init=0.01, batch_size=50, measures=None)
comparison = compare_solvers(
    base,
    X,
    y,
    {
        "adam": Adam(),
        "sam, rho=0.2": {"solver": SAM(), "rho": 0.2},
        "random climb, rho=0.5": {"solver": RandomClimb(), "rho": 0.5},
        "random climb, rho=1": {"solver": RandomClimb(), "rho": 1.0},
        "random climb, rho=2": {"solver": RandomClimb(), "rho": 2.0},
    },
    y_train=wrong,
    budget=60,
    n_seeds=5,
    measures=["sharpness"],
)
summary = comparison.summary()
columns = ["score", "difference", "difference_stderr", "gradients", "sharpness"]
print(summary[columns].round(3).to_string())

# %%
# Ten lines gain something: at the radius 2 the rule is two points ahead of `adam`, more than twice
# the standard error of the difference, at the same cost, and its networks are flatter. But `sam`
# gains almost three times as much, although it takes half the steps: the steepest direction is
# worth more than a random one. Radii for one rule are no radii for another, as `rho` is the length
# of a random vector here and of the worst one there.

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.2), layout="constrained", sharey=True)
SolverComparisonDisplay.from_comparison(comparison, ax=left)
left.set_title("Test accuracy, five splits")
traces = summary["sharpness"].to_numpy()
right.plot(traces, np.arange(len(summary))[::-1], "o", ms=10)
right.set(xlabel="trace of the Hessian (flatter to the left)", title="Sharpness, mean")
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

"""
Local entropy: how many solutions are nearby?
=============================================

Weights of one bit have no curvature: between -1 and +1 there is nothing to differentiate. What
takes the place of flatness is a count. A solution is a set of weights that classifies every
training row. Its *local entropy* at a distance is the logarithm of the number of solutions that
differ from it in that share of the weights, divided by the number of weights. A wide minimum has
many solutions around it, an isolated one has none.

This page counts for a small perceptron, where all solutions can be listed, and then asks for a
large one what kind of solution an algorithm finds (Baldassi and others, arXiv:2107.01163).
"""

import matplotlib.pyplot as plt
import numpy as np

from skflat import FlatPerceptronClassifier
from skflat.datasets import make_perceptron_storage, make_teacher_student
from skflat.displays import LocalEntropyDisplay
from skflat.measures import flip_energy
from skflat.solvers.binary import BinarySolver
from skflat.theory import enumerate_solutions, franz_parisi, hamming_entropy, max_margin

# %%
# Nineteen weights: all solutions
# -------------------------------
# Nine random rows are to be stored in 19 weights. Of the half a million weight vectors,
# :func:`~skflat.theory.enumerate_solutions` returns all that are right on every row. For each we
# count the others at every distance.

n = 19
X, y = make_perceptron_storage(n, alpha=9 / n, patterns="normal", random_state=0)
solutions = enumerate_solutions(X, y)
counts = solutions.n_at_distance()
neighbours = counts[:, 1]
print(f"{len(solutions)} solutions among {2**n} weight vectors")
print(f"{np.mean(neighbours == 0):.0%} of them have no solution one flip away")
print(f"the most crowded has {neighbours.max()} of {n} possible neighbours")

# %%
# Which solutions are crowded? Those of large margin, which is the least stability of a row: nobody
# is alone there. The converse does not hold, as some solutions of small margin are crowded too.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
around = counts[:, 1:5].sum(axis=1)
places = {
    "the most crowded": around.argmax(),
    "one in the middle": np.argsort(around)[len(around) // 2],
    "the loneliest": around.argmin(),
}
flips = np.arange(1, 10)
for name, place in places.items():
    with np.errstate(divide="ignore"):
        left.plot(flips / n, np.log(counts[place, flips]) / n, "o-", label=name)
left.plot(flips / n, hamming_entropy(flips / n), "k--", lw=1, label="all weights, many of them")
left.set(xlabel="share of the weights that differ", ylabel="ln(number of solutions) / n")
left.set_title(f"Local entropy, all solutions of {n} weights counted")
left.legend()
right.plot(solutions.stability, around, ".", ms=4, alpha=0.4)
right.set(xlabel="least stability (margin)", ylabel="solutions within four flips")
right.set_title("Solutions of large margin are crowded")
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# A thousand weights: what does an algorithm find?
# ------------------------------------------------
# Here nothing can be listed. The labels come from a *teacher*, a perceptron drawn at random. So the
# teacher is a solution, and a typical one: it was drawn without regard to the rows. Message passing
# looks for a solution of its own. To measure around the teacher we need an estimator that holds its
# weights. A solver that only offers them is enough.


class Given(BinarySolver):
    """Weights that are known."""

    def __init__(self, w):
        self.w = w

    def candidates(self, patterns, rng):
        yield self.w


X, y, teacher = make_teacher_student(1001, alpha=0.3, random_state=0)
fitted = {
    name: FlatPerceptronClassifier(
        solver=solver, scale=False, fit_intercept=False, measures=None, random_state=0
    ).fit(X, y)
    for name, solver in {"message passing": "focusing_bp", "the teacher": Given(teacher)}.items()
}
for name, clf in fitted.items():
    energy = flip_energy(clf, X, y)
    agree = np.mean(clf.weights_[0] == teacher)
    print(f"{name:<16} {clf.n_errors_} errors, {agree:.0%} of the teacher's weights, ", end="")
    print(f"2 % of flips make {energy.value:.1%} of the rows wrong")

# %%
# Both are right on every row, though a third of their weights differ. But the solution that message
# passing found is the wider one: fewer rows break when weights are flipped, and there are more
# solutions around it, at every distance. Random labels behave alike. There theory knows both kinds
# in the limit of many weights: typical solutions, and those of the largest margin.

distances = np.array([0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2])
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained", sharey=True)
for name, clf in fitted.items():
    LocalEntropyDisplay.from_estimator(
        clf, X, y, distance=distances, method="bethe", name=name, ax=left
    )
left.set_title("Measured, 1001 weights and a teacher's labels")
curve = franz_parisi(0.3, distances, reference_margin=max_margin(0.3))
right.plot(distances, curve.entropy, "C0.-", label="around the largest margin")
right.plot(
    distances, franz_parisi(0.3, distances).entropy, "C1.-", label="around typical solutions"
)
right.plot(distances, hamming_entropy(distances), "k--", lw=1, label="all weights")
right.set(xlabel="share of the weights that differ", title="Theory, random labels")
for ax in (left, right):
    ax.grid(alpha=0.3)
    ax.legend()
# sphinx_gallery_thumbnail_number = 2
plt.show()

"""
Where wide flat minima are, by theory
=====================================

For perceptrons with weights of one bit and random rows, statistical physics says how solutions lie,
in the limit of many weights: how many there are, whether they have neighbours, and from which size
of a model on there are wide regions of them. The functions of :mod:`skflat.theory` compute these
numbers to many digits. This page draws four of them (Baldassi and others, arXiv:2107.01163 and
arXiv:2110.00683).
"""

import matplotlib.pyplot as plt
import numpy as np

from skflat.theory import (
    amp_threshold,
    capacity,
    clone_threshold,
    flat_minima_threshold,
    franz_parisi,
    hamming_entropy,
    max_margin,
    recovery_threshold,
    student_clone_threshold,
    student_interpolation,
    student_max_margin,
    student_solutions,
    typical_solutions,
)

# %%
# Thresholds
# ----------
# The *load* is the number of rows for each weight. There are solutions up to the capacity. Long
# before it the wide regions break up, and with them the algorithms fail.

CLONES = (4, 5)  # solutions in a group: with one of these numbers the threshold is extreme
stored, taught = (
    min(clone_threshold(m, task=task).alpha for m in CLONES)
    for task in ("storage", "teacher_student")
)
print("random labels")
print(f"  dense regions around the largest margin break up  {flat_minima_threshold():.4f}")
print(f"  groups of close solutions break up                {stored:.4f}")
print(f"  there are no solutions                            {capacity():.4f}")
print("labels of a teacher")
print(f"  groups of close solutions break up                {taught:.4f}")
print(f"  the teacher is the only solution                  {recovery_threshold():.4f}")
print(f"  message passing finds it                          {amp_threshold():.4f}")

# %%
# How many solutions, and how many around one
# -------------------------------------------
# On the left, the logarithm of the number of solutions, by margin. It ends where there are none
# left. On the right, around one solution at the load 0.7: a typical solution has no neighbours at
# small distances (the curve is negative there), one of large margin has some at every distance.

figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.2), layout="constrained")
for margin in (0.0, 0.2, 0.4):
    alphas = np.linspace(0.01, capacity(margin), 40)
    entropy = [typical_solutions(alpha, margin).entropy for alpha in alphas]
    left.plot(alphas, entropy, label=f"margin {margin:g}")
left.set(xlabel="load: rows for each weight", ylabel="entropy of the solutions, for each weight")
left.set_title("How many solutions there are")
distances = np.geomspace(0.005, 0.3, 25)
for margin in (0.0, 0.07, max_margin(0.7)):
    local = franz_parisi(0.7, distances, margin)
    right.plot(distances, local.entropy, label=f"around margin {margin:.3g}")
right.plot(distances, hamming_entropy(distances), "k:", label="all weights")
right.axhline(0, color="k", lw=0.5)
right.set(xscale="log", ylim=(-0.04, 0.16), xlabel="share of the weights that differ")
right.set(ylabel="local entropy", title="How many there are around one, at load 0.7")
for ax in (left, right):
    ax.grid(alpha=0.3)
    ax.legend()
plt.show()

# %%
# A student that grows
# --------------------
# Now the data stay, three rows for each weight of a teacher, and the model grows: a student that
# sees the inputs through random features. From one size on it has solutions at all. From a larger
# size on there are dense regions of them. Past that, typical solutions stop improving, while those
# of the largest margin go on. This is the theory's account of why larger models do better: they
# have wide minima to find.

ALPHA_T = 3
loads = np.array([0.3, 1, 2, 3, 5])
first = [student_interpolation(load) for load in loads]
dense = [max(student_clone_threshold(load, m).size for m in CLONES) for load in loads]
at = list(loads).index(ALPHA_T)
sizes = np.linspace(first[at] + 1e-6, 3.5, 20)
typical = [student_solutions(size, ALPHA_T).error for size in sizes]
best = [student_solutions(size, ALPHA_T, student_max_margin(size, ALPHA_T)).error for size in sizes]
print(f"weights for each row: solutions from {first[at]:.4f}, dense regions from {dense[at]:.4f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.2), layout="constrained")
left.plot(sizes, typical, label="typical solutions")
left.plot(sizes, best, label="largest margin")
left.axvline(first[at], color="k", ls=":", label="first solutions")
left.axvline(dense[at], color="k", ls="--", label="dense regions")
left.set(xlabel="size of the student: weights for each row", ylabel="error on new rows")
left.set_title("What a larger student gains")
right.plot(loads, first, "o-", label="first solutions")
right.plot(loads, dense, "o-", label="dense regions")
right.set(xscale="log", xlabel="rows for each weight of the teacher")
right.set(ylabel="weights for each row", title="From which size on")
right.set_xticks(loads, [f"{load:g}" for load in loads])
right.minorticks_off()
for ax in (left, right):
    ax.grid(alpha=0.3)
    ax.legend()
plt.show()

"""
Flattening: along the minima of one function to the flattest
============================================================

A symmetry keeps a function and changes its parameters. So the minima of a loss are often not points
but curves and surfaces, and some of their points are flatter than others. This page walks along
them, in three views of one idea: two numbers, two matrices, and a network.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skflat import FlatMLPClassifier
from skflat.measures import hessian_trace, orbit_trace
from skflat.symmetry import balancing_flow, conserved, flatten, flattening_flow, sharpen

# %%
# Two numbers
# -----------
# The loss ``(xy - 1)^2`` is 0 on a hyperbola. Gradient flow runs into it, and on its way it keeps
# ``x^2 - y^2`` (the dotted lines). Where it ends depends on where it began. The *flattening* flow
# instead stays on the hyperbola and makes ``x^2 - y^2`` vanish. It ends at (1, 1), where the
# largest eigenvalue of the Hessian is smallest.

STARTS = [(3.2, 1.6), (0.4, 3.4), (3.6, 0.7), (1.9, 2.6)]


def descent(x, y, rate=1e-3, n_steps=4_000):
    """Gradient flow of ``(x y - 1)^2``, by small steps."""
    path = [(x, y)]
    for _ in range(n_steps):
        r = x * y - 1
        x, y = x - rate * 2 * r * y, y - rate * 2 * r * x
        path.append((x, y))
    return np.array(path)


flow = balancing_flow(np.array([[4.0]]), np.array([[0.25]]), n_steps=300)
walk = np.array([(4.0, 0.25), *((float(A[0, 0]), float(B[0, 0])) for A, B in flow)])
paths = [descent(*start) for start in STARTS]
kept = max(np.ptp(path[:, 0] ** 2 - path[:, 1] ** 2) for path in paths)
curvature = 2 * np.sum(walk[[0, -1]] ** 2, axis=1)
print(f"gradient flow keeps x^2 - y^2 to {kept:.1e}")
print(f"the flattening flow keeps xy to {np.abs(np.prod(walk, axis=1) - 1).max():.1e}")
print(f"and lowers the largest eigenvalue from {curvature[0]:.4g} to {curvature[1]:.4g}")

# %%

figure, ax = plt.subplots(figsize=(5.6, 5.2), layout="constrained")
x = np.linspace(0.24, 4.2, 200)
u, v = np.meshgrid(np.linspace(0.2, 4.2, 80), np.linspace(0.2, 4.2, 80))
ax.plot(x, 1 / x, "k", lw=2, label="minima, $xy = 1$")
for k, path in enumerate(paths):
    level = path[0, 0] ** 2 - path[0, 1] ** 2
    ax.contour(u, v, u**2 - v**2, [level], colors="C0", linestyles=":", linewidths=0.8)
    ax.plot(*path.T, color="C0", lw=1.4, label="gradient flow" if k == 0 else None)
    ax.plot(*path[0], "o", color="C0", ms=5)
ax.plot(*walk.T, color="C3", lw=4, alpha=0.6, label="flattening flow")
ax.plot(1, 1, "*", color="C3", ms=15, label="the flattest minimum")
ax.set(xlabel="x", ylabel="y", xlim=(0.2, 4.2), ylim=(0.2, 4.2), aspect="equal")
ax.set_title("$(xy-1)^2$, with levels of $x^2-y^2$")
ax.legend()
plt.show()

# %%
# Two matrices
# ------------
# A factorization ``X Y'`` of a matrix is the same with more numbers: ``X G`` and ``Y inv(G)'`` have
# the same product for every invertible ``G``. The flow keeps the product, and the largest
# eigenvalue falls to the least possible one, four times the largest singular value of the matrix.

rng = np.random.default_rng(0)
U, V = (np.linalg.qr(rng.normal(size=(n, 2)))[0] for n in (4, 3))
root, G = np.sqrt([3.0, 1.0]), np.array([[1.6, 0.5], [0.0, 0.8]])
left, right = U * root @ G, V * root @ np.linalg.inv(G).T
steps = [(left, right), *balancing_flow(left, right, n_steps=60)]
largest = [2 * (np.linalg.norm(A, 2) ** 2 + np.linalg.norm(B, 2) ** 2) for A, B in steps]
gap = [np.linalg.norm(conserved(A, B)) for A, B in steps]
moved = max(np.abs(A @ B.T - left @ right.T).max() for A, B in steps)
print(f"largest eigenvalue from {largest[0]:.4g} to {largest[-1]:.6g}; its minimum is 12")
print(f"the product moves by {moved:.1e}")

# %%
# A network
# ---------
# The units of a relu network can be rescaled in the same way. In the logarithms of the scales the
# trace of the Hessian is convex, so there is one flattest network with the same predictions. We
# make a network a hundred times as sharp and let the flow bring it back.

X, y = load_digits(return_X_y=True)
X, y = X[:600] / 16, y[:600]
trained = FlatMLPClassifier(
    (32, 16),
    solver="adam",
    learning_rate_init=0.01,
    learning_rate="cosine",
    max_iter=60,
    measures=None,
    random_state=0,
).fit(X, y)
sharp = sharpen(trained, X, y, factor=100)
back = list(flattening_flow(sharp, X, y, n_steps=25))
traces = [hessian_trace(each, X, y).value for each in (trained, *back)]
least = [orbit_trace(each, X, y).value for each in (trained, sharp)]
ratio = flatten(sharp, X, y).predict_proba(X) / trained.predict_proba(X)
print(f"trace as trained {traces[0]:.4g}, sharpened {traces[1]:.4g}, at the end {traces[-1]:.4g}")
print(f"least trace of the orbit, from both networks: {least[0]:.6g} and {least[1]:.6g}")
print(f"probabilities differ by {np.abs(ratio - 1).max():.1e} relative")

# %%
# The flow ends *below* where training had ended. Training had not found the flattest parameters of
# its own function: nothing in the loss asks for them. :func:`~skflat.symmetry.flatten` goes to the
# end in one call, and `orbit_trace` measures without going there.

figure, (left_ax, right_ax) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
left_ax.plot(largest, color="C3", lw=2, label="largest eigenvalue of the Hessian")
left_ax.axhline(12, color="C3", ls=":", label="its minimum, $4\\sigma_1$")
left_ax.plot(gap, color="C0", lw=2, label="$\\|X'X - Y'Y\\|$, which is 0 when balanced")
left_ax.set(xlabel="steps of the flow", title="Two matrices with one product")
right_ax.semilogy([-2, 0], traces[:2], "k--", lw=1)
right_ax.semilogy(-2, traces[0], "ko", label="as trained")
right_ax.semilogy(range(len(back)), traces[1:], "C3.-", label="sharpened, then the flow")
right_ax.axhline(least[0], color="C0", ls=":", label="least trace, of all of them")
right_ax.set(xlabel="steps of the flow", ylabel="trace of the Hessian")
right_ax.set_title("One network, equal predictions")
for ax in (left_ax, right_ax):
    ax.grid(alpha=0.3)
    ax.legend()
plt.show()

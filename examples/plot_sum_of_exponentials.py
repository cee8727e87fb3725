"""
A formula of physics as a model, and how well its rates are known
=================================================================

A decay of three species is measured with a little noise. The model is the formula itself, a sum of
three exponentials, and what is wanted are its rates. The curve fits perfectly, and the rates are
known badly. The Hessian says why: along some directions of the parameters the loss is so flat that
they can move far while the curve stays what it is. Physicists call such models *sloppy*. Here
flatness is not a virtue but a warning.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

from skflat import FlatFunctionRegressor
from skflat.problems import as_problem

# %%
# The formula
# -----------
# Rates and amplitudes are logarithms, so that both stay positive. The start is a rough guess, and
# L-BFGS fits all six.

RATES, AMPLITUDES, NOISE = [0.3, 1.0, 5.0], [1.0, 2.0, 1.5], 0.02


def decay(params, X):
    """``sum_k exp(a_k - exp(r_k) t)``."""
    return np.exp(params["log_amplitudes"] - X * np.exp(params["log_rates"])) @ np.ones(3)


t = np.linspace(0, 8, 300)
clean = np.exp(-np.outer(t, RATES)) @ np.array(AMPLITUDES)
X, y = t[:, None], clean + NOISE * np.random.default_rng(0).normal(size=len(t))
start = {"log_rates": np.log([0.1, 1.5, 10.0]), "log_amplitudes": np.zeros(3)}
reg = FlatFunctionRegressor(
    decay, start, solver="lbfgs", alpha=0, max_iter=5000, tol=1e-12, random_state=0
).fit(X, y)
print(f"R2 {reg.score(X, y):.5f}")

# %%
# The Hessian, whole
# ------------------
# With six parameters the Hessian is a small matrix. :func:`~skflat.problems.as_problem` gives
# access to products with it. Near the minimum the covariance of the parameters is the variance of
# the noise over the number of rows, times the inverse Hessian. So small eigenvalues are large
# errors.

problem = as_problem(reg, X, y)
times = problem.objective.hessian_products(problem.w)
H = np.array([times(unit) for unit in np.eye(6)])
values, vectors = np.linalg.eigh((H + H.T) / 2)
values, vectors = values[::-1], vectors[:, ::-1]  # the largest first
errors = NOISE * np.sqrt(np.sum(vectors**2 / values, axis=1) / len(t))
found = np.concatenate([reg.params_["log_rates"], reg.params_["log_amplitudes"]])
truth = np.log(np.concatenate([RATES, AMPLITUDES]))
names = [f"log {kind} {k}" for kind in ("rate", "amplitude") for k in (1, 2, 3)]
for name, value, error, expected in zip(names, found, errors, truth, strict=True):
    print(f"{name:<16}{value:>8.3f} +- {error:.3f}   truth {expected:.3f}")
print("eigenvalues     " + " ".join(f"{value:.2g}" for value in values))

# %%
# The eigenvalues spread over nearly four decades. A step of 0.3 along the first eigenvector bends
# the curve visibly. The same step along the last one changes it by less than the noise of the rows,
# but for the very first ones, and yet it changes rates and amplitudes by up to a quarter.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
left.plot(t, y, ".", color="0.6", ms=3, label="measured")
left.plot(t, reg.predict(X), label="fitted")
left.set(title="A sum of three exponentials", xlabel="time", yscale="log", ylim=(5e-2, None))
left.legend()
middle.semilogy(range(1, 7), values, "o", ms=9)
middle.set(title="Eigenvalues of the Hessian", xlabel="place")
for place, color in ((0, "C3"), (2, "C1"), (5, "C0")):
    moved = found + 0.3 * vectors[:, place]
    curve = decay({"log_rates": moved[:3], "log_amplitudes": moved[3:]}, X)
    right.plot(t, curve - reg.predict(X), color=color, label=f"eigenvector {place + 1}")
right.axhspan(-NOISE, NOISE, color="0.85", zorder=0, label="noise of a row")
right.set(title="Change of the curve, for a step of 0.3", xlabel="time")
right.legend()
for ax in (left, middle, right):
    ax.grid(alpha=0.3)
plt.show()

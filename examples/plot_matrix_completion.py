"""
Which of all exact fits? Completing a matrix
============================================

A matrix of rank 3 is to be recovered from some of its entries, by a factorization with 20
components and without a penalty. That is enough to fit the observed entries in endlessly many ways.
All of them have a training error of 0. What they say about the *missing* entries depends on which
fit is found.

Flatness chooses well here, and this can be understood: of all fits, the one with the smallest trace
of the Hessian has the smallest nuclear norm, which favours low rank.
"""

import matplotlib.pyplot as plt
import numpy as np

from skflat import FlatMatrixFactorization

# %%
# Four ways to fit
# ----------------
# * Alternating least squares without noise stops at the first fit it meets.
# * Gradient descent begins with small factors.
# * `sam` is the same with sharpness-aware steps.
# * Alternating least squares on the *expected* loss under a little weight noise, which is known in
#   closed form. As the noise tends to 0 it gives the fit of smallest trace.

DESCENT = {"learning_rate_init": 0.02, "learning_rate": "cosine", "batch_size": 100}
MODELS = {
    "als, rho=0": {"solver": "als", "rho": 0.0, "tol": 0.1},
    "adam": {"solver": "adam", **DESCENT, "max_iter": 100},
    "sam": {"solver": "sam", "rho": 0.1, **DESCENT, "max_iter": 100},
    "als, rho=0.05": {"solver": "als", "rho": 0.05, "max_iter": 2000, "tol": 1e-5},
}
SHAPE, RANK, RATES = (60, 50), 3, [0.12, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5]


def complete(params, rate, seed=0):
    """Relative error on observed and on missing entries, and the exact trace."""
    rng = np.random.default_rng(seed)
    M = rng.normal(size=(SHAPE[0], RANK)) @ rng.normal(size=(RANK, SHAPE[1])) / np.sqrt(RANK)
    seen = rng.random(SHAPE) < rate
    model = FlatMatrixFactorization(
        20, alpha=0.0, fit_offsets=False, measures=["sharpness"], random_state=seed, **params
    ).fit(np.where(seen, M, np.nan))
    wrong = (model.row_factors_ @ model.components_ - M) / M.std()
    return [np.sqrt(np.mean(wrong[where] ** 2)) for where in (seen, ~seen)] + [model.sharpness_]


found = {
    name: np.array([complete(params, rate) for rate in RATES]).T for name, params in MODELS.items()
}
print(f"{'error on missing entries':<26}" + "".join(f"{rate:>8.0%}" for rate in RATES))
for name, (_, missing, _) in found.items():
    print(f"{name:<26}" + "".join(f"{value:>8.3f}" for value in missing))

# %%
# The largest error on *observed* entries is small for all: they are all fits.

for name, (observed, _, _) in found.items():
    print(f"{name:<26} at most {observed.max():.3f}")

# %%
# A matrix of this size and rank has 321 free parameters, so no method can do with less than 11 % of
# the 3,000 entries. Plain least squares fails even with half of the entries. Gradient descent from
# small factors does much better, and `sam` hardly differs from it. The flattest fit needs fewest
# entries. And it has, as it should, the smallest trace wherever all fits are exact.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
for name, (_, missing, trace) in found.items():
    left.plot(RATES, missing, "o-", label=name)
    right.plot(RATES, trace, "o-", label=name)
left.set(yscale="log", ylabel="relative error on missing entries", title="What is filled in")
right.set(yscale="log", ylabel="trace of the Hessian", title="How sharp the fit is")
for ax in (left, right):
    ax.set_xlabel("share of entries observed")
    ax.grid(alpha=0.3)
left.legend()
plt.show()

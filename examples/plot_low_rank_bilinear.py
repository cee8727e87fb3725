"""
A low-rank model of your own: two things that meet
==================================================

A row holds two vectors ``a`` and ``b``, say a buyer and a product, and the target is ``a' M b``
plus noise, with a matrix ``M`` of rank 3. The model is ``(a U) . (b V)`` with ten components, far
more than three. Noise of a growing radius `rho` on the parameters makes the product ``U V'`` lose
the components that only fit the noise of the targets. This is how flatness simplifies: it prefers
products of low rank.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

from skflat import FlatFunctionRegressor

# %%
# The model is one function of its parameters and the rows.

N_COMPONENTS = 10


def shapes(rng, n_features, n_outputs):
    return {"U": (n_features // 2, N_COMPONENTS), "V": (n_features // 2, N_COMPONENTS)}


def forward(params, X):
    half = X.shape[1] // 2
    return np.sum((X[:, :half] @ params["U"]) * (X[:, half:] @ params["V"]), axis=1)


# %%
# 400 rows with noisy targets to train on, and as many without noise to test. ``M`` has 225 entries.

SIZE, RANK, N_ROWS = 15, 3, 400
rng = np.random.default_rng(0)
M = rng.normal(size=(SIZE, RANK)) @ rng.normal(size=(RANK, SIZE)) / np.sqrt(SIZE)
X = rng.normal(size=(2 * N_ROWS, 2 * SIZE))
y = np.einsum("ni,ij,nj->n", X[:, :SIZE], M, X[:, SIZE:])
y[:N_ROWS] += rng.normal(size=N_ROWS)
train, test = (X[:N_ROWS], y[:N_ROWS]), (X[N_ROWS:], y[N_ROWS:])

# %%
# Train at several radii
# ----------------------
# The solver `noise` draws a displacement at every step and descends on the average.


def fit(rho):
    return FlatFunctionRegressor(
        forward,
        shapes,
        solver="noise",
        rho=rho,
        alpha=0,
        learning_rate="cosine",  # a schedule that is meant to end at max_iter
        learning_rate_init=0.03,
        batch_size=100,
        max_iter=200,
        measures=["sharpness"],
        random_state=0,
    ).fit(*train)


def spectrum(reg):
    """Singular values of the matrix that was learnt."""
    return np.linalg.svd(reg.params_["U"] @ reg.params_["V"].T, compute_uv=False)


models = {rho: fit(rho) for rho in (0.0, 0.05, 0.1, 0.2, 0.3)}
print(f"{'rho':>6}{'train R2':>10}{'test R2':>10}{'trace':>9}   singular values")
for rho, reg in models.items():
    values = " ".join(f"{value:.2f}" for value in spectrum(reg)[:6])
    scores = f"{reg.score(*train):>10.3f}{reg.score(*test):>10.3f}"
    print(f"{rho:>6}{scores}{reg.sharpness_:>9.0f}   {values}")

# %%
# At ``rho=0`` the training score is best, and ten singular values are in use. At 0.1 the surplus
# ones are nearly gone, the true ones are hardly touched, and the score on new rows is best. A
# radius that is too large also shrinks what is real.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
colors = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(models)))
for (rho, reg), color in zip(models.items(), colors, strict=True):
    left.plot(range(1, SIZE + 1), spectrum(reg), "o-", ms=4, color=color, label=f"rho={rho}")
left.plot(range(1, SIZE + 1), np.linalg.svd(M, compute_uv=False), "k--", label="the truth")
left.set(title="Singular values of the product", xlabel="place", ylabel="value")
right.plot(
    list(models),
    [reg.score(*train) for reg in models.values()],
    "s--",
    color="0.5",
    label="training rows, with noise",
)
right.plot(
    list(models), [reg.score(*test) for reg in models.values()], "o-", label="test rows, without"
)
right.set(title="Score", xlabel="rho", ylabel="$R^2$")
for ax in (left, right):
    ax.grid(alpha=0.3)
    ax.legend()
plt.show()

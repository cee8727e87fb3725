"""
A mixture of experts of your own
================================

Four lines, and a gate that says where each of them holds. The model is one function of its
parameters, and its parts do not have to be layers. It learns a broken line with noise, at three
radii `rho` and from two starts each.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt

from skflat import FlatFunctionRegressor

# %%
# The model
# ---------
# ``shares`` is a softmax over experts. ``forward`` is the mean of the experts' lines, weighted by
# it.

N_EXPERTS = 4


def shapes(rng, n_features, n_outputs):
    return {
        "gate": (n_features, N_EXPERTS),
        "gate_at_0": (N_EXPERTS,),
        "slopes": (n_features, N_EXPERTS),
        "values_at_0": (N_EXPERTS,),
    }


def shares(params, X):
    """The gate: how much every expert counts, (n_rows, n_experts)."""
    z = X @ params["gate"] + params["gate_at_0"]
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def forward(params, X):
    lines = X @ params["slopes"] + params["values_at_0"]
    return np.sum(shares(params, X) * lines, axis=1)


# %%
# Train at three radii
# --------------------
# The error is the distance from the true line, which the noise of the targets hides from the
# training.


def broken_line(x):
    return np.interp(x, [-3, -1, 1, 3], [0, 2, -2, 1])


rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, size=200)
X, y = x[:, None], broken_line(x) + 0.3 * rng.normal(size=200)


def fit(rho, seed):
    return FlatFunctionRegressor(
        forward,
        shapes,
        solver="sam",
        rho=rho,
        alpha=0,
        learning_rate="cosine",  # a schedule that is meant to end at max_iter
        learning_rate_init=0.05,
        max_iter=300,
        batch_size=100,
        measures=["sharpness", "flatness"],
        random_state=seed,
    ).fit(X, y)


models = {rho: [fit(rho, seed) for seed in range(2)] for rho in (0.0, 0.3, 0.6)}
print(f"{'rho':>6}{'start':>7}{'train R2':>10}{'error':>8}{'trace':>9}{'distance':>10}")
for rho, several in models.items():
    for seed, reg in enumerate(several):
        error = np.sqrt(np.mean((reg.predict(X) - broken_line(x)) ** 2))
        print(f"{rho:>6}{seed:>7}{reg.score(X, y):>10.3f}{error:>8.3f}", end="")
        print(f"{reg.sharpness_:>9.3g}{reg.flatness_:>10.3f}")

# %%
# Up to 0.3 the radius changes little: the trace falls by a few percent, the two starts come closer
# to each other, and the error stays what it is. A smooth gate is all that these noisy rows ask for,
# so plain training is flat enough. At 0.6 the radius is too large for the gate. It no longer learns
# where to switch, and from one start the mixture is hardly better than a constant. So a model with
# few parameters, all of them needed, has little room for `rho`.

figure, axes = plt.subplots(
    2, 3, figsize=(12.5, 6.2), sharex=True, sharey="row", layout="constrained"
)
grid = np.linspace(-3, 3, 300)[:, None]
for (rho, several), (top, bottom) in zip(models.items(), axes.T, strict=True):
    best = min(several, key=lambda reg: reg.loss_)
    top.plot(x, y, ".", color="0.8")
    top.plot(grid[:, 0], broken_line(grid[:, 0]), "k--", label="the truth")
    top.plot(grid[:, 0], best.predict(grid), "C3", lw=2, label="mixture")
    top.set_title(f"rho={rho}, trace {best.sharpness_:.3g}")
    bottom.plot(grid[:, 0], shares(best.params_, grid), lw=2)
axes[0, 0].legend()
axes[0, 0].set_ylabel("target")
axes[1, 0].set_ylabel("shares of the experts")
plt.show()

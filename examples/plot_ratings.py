"""
Ratings: how many factors, and how flat?
========================================

A factorization of ratings has two knobs against overfitting: the number of components, and the
noise `rho` on the factors over which the expected loss is minimised. This page searches both with
scikit-learn's ``GridSearchCV`` and looks at the minimum that every setting finds. The ratings are
drawn from a model with five factors, so we know what there is to be found.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, ShuffleSplit, train_test_split

from skflat import FlatMatrixFactorization
from skflat.measures import HessianTrace

# %%
# Ratings from five factors
# -------------------------
# Users and films have an offset and five factors each. A rating is rounded to half stars. Few films
# have many ratings and many films have few.

N_USERS, N_FILMS, N_RATINGS, N_FACTORS, NOISE = 300, 600, 15_000, 5, 0.6
rng = np.random.default_rng(0)
user = rng.integers(N_USERS, size=N_RATINGS)
film = (N_FILMS * rng.random(N_RATINGS) ** 2).astype(int)
tastes, styles = (0.6 * rng.normal(size=(size, N_FACTORS)) for size in (N_USERS, N_FILMS))
offsets = 0.4 * rng.normal(size=N_USERS)[user] + 0.5 * rng.normal(size=N_FILMS)[film]
liking = 3.3 + offsets + (tastes[user] * styles[film]).sum(axis=1)
stars = np.clip(np.round(2 * (liking + NOISE * rng.normal(size=N_RATINGS))) / 2, 0.5, 5)
X = np.column_stack([user, film])
X_train, X_test, y_train, y_test, _, true_test = train_test_split(
    X, stars, liking, test_size=0.1, random_state=0
)
print(f"{len(stars):,} ratings, {len(stars) / N_USERS / N_FILMS:.1%} of the matrix")

# %%
# A grid over both
# ----------------
# Two scores at once: the error on ratings held out, and the trace of the Hessian at the minimum. A
# measure is a scorer (with the sign turned, as greater is flatter).

GRID = {"n_components": [2, 5, 10, 20], "rho": [0.0, 0.1, 0.2, 0.3, 0.4, 0.6]}
search = GridSearchCV(
    FlatMatrixFactorization(alpha=1.0, clip=(0.5, 5), tol=1e-3, measures=None, random_state=0),
    GRID,
    scoring={"rmse": "neg_root_mean_squared_error", "trace": HessianTrace()},
    refit="rmse",
    cv=ShuffleSplit(1, test_size=0.1, random_state=0),
).fit(X_train, y_train)


def table_of(score):
    """Scores by rho (rows) and components (columns), as positive numbers."""
    shape = len(GRID["n_components"]), len(GRID["rho"])
    return -search.cv_results_[f"mean_test_{score}"].reshape(shape).T


def error(prediction):
    return np.sqrt(np.mean((np.clip(prediction, 0.5, 5) - y_test) ** 2))


print(f"best: {search.best_params_}")
print(f"error on a tenth never looked at before: {error(search.predict(X_test)):.3f}")
print(f"  of the true liking, which nobody can beat: {error(true_test):.3f}")
print(f"  of the mean rating: {error(np.full(len(y_test), y_train.mean())):.3f}")

# %%
# At ``rho=0`` every component too many costs, since it fits noise. Weight noise makes that mistake
# cheaper: at 0.3 the error with twenty components is about what it is with the right five at
# ``rho=0``. It does not make it free. The best cell has the true number of factors *and* some
# noise. The trace falls from row to row. So the best error is neither at the sharpest nor at the
# flattest fit: at 0.6 all factors are driven to 0, and only the offsets are left.

figure, axes = plt.subplots(1, 2, figsize=(11.5, 4.6), layout="constrained")
panels = {"error on ratings held out": "rmse", "trace of the Hessian there": "trace"}
for ax, (title, score) in zip(axes, panels.items(), strict=True):
    values = table_of(score)
    image = ax.imshow(values, cmap="viridis_r", aspect="auto")
    for place, value in np.ndenumerate(values):
        color = "w" if image.norm(value) > 0.5 else "k"
        ax.text(*place[::-1], f"{value:.3g}", ha="center", va="center", color=color)
    ax.set_xticks(range(values.shape[1]), GRID["n_components"])
    ax.set_yticks(range(values.shape[0]), GRID["rho"])
    ax.set(xlabel="components", ylabel="rho", title=title)
row, column = np.unravel_index(table_of("rmse").argmin(), table_of("rmse").shape)
axes[0].add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, ec="C3", lw=3))
plt.show()

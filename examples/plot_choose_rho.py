"""
Choosing rho by the one-standard-error rule
===========================================

`rho` is the radius in the parameters over which a solution must stay good. At 0 training is plain.
A cross-validated score over `rho` is often nearly level over a wide range, and which radius happens
to be on top is then chance. The rule of Breiman and others takes the *simplest* setting whose score
is within one standard error of the best. Here flat takes the place of simple: the largest `rho`
that is about as good as the best.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from skflat import FlatMLPClassifier, FlatMLPClassifierCV
from skflat.displays import RhoPathDisplay
from skflat.model_selection import flattest_within_one_se

# %%
# Digits with wrong labels
# ------------------------
# A fifth of 250 training labels is drawn at random. The test labels are right. Flat minima have
# something to gain here, because a network that fits the wrong labels has to bend for each of them.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=250, stratify=y, random_state=0
)
rng = np.random.default_rng(0)
redrawn = rng.choice(len(y_train), size=len(y_train) // 5, replace=False)
y_train[redrawn] = rng.integers(10, size=len(redrawn))

# %%
# One search, two rules
# ---------------------
# :class:`~skflat.FlatMLPClassifierCV` tries radii that suit the size of the data and trains the
# chosen one on all rows. ``budget`` is as large as the number of settings, so that no training is
# stopped early and the picture shows them all.

RADII = [0.0, 0.05, 0.1, 0.15, 0.2, 0.25]
settings = {
    "hidden_layer_sizes": (32,),
    "learning_rate": "cosine",
    "learning_rate_init": 0.01,
    "max_iter": 60,
    "batch_size": 50,
    "random_state": 0,
}
search = FlatMLPClassifierCV(
    rhos=RADII, alphas=[1e-4], cv=5, budget=6, select="flattest_within_one_se", **settings
).fit(X_train, y_train)
rhos = np.asarray(search.cv_results_["param_rho"], dtype=float)
mean = search.cv_results_["mean_test_score"]
best, chosen = mean.argmax(), search.best_index_
for rule, index in {"the best score": best, "the one-SE rule": chosen}.items():
    print(f"{rule:<16} rho {rhos[index]:<5g} score {mean[index]:.3f}")
print(f"test accuracy of the latter {search.score(X_test, y_test):.3f}")

# %%
# The three numbers along the way
# -------------------------------
# :class:`~skflat.displays.RhoPathDisplay` draws the score, and the three numbers of the networks of
# the search. The band is one standard error over the splits. Sharpness falls with the radius.
# Flatness rises up to 0.15. At 0.25 the radius is too large: training no longer gets anywhere.

display = RhoPathDisplay.from_estimator(search)
for ax in display.axes_:
    ax.set_xscale("linear")
    ax.grid(alpha=0.3)
plt.show()

# %%
# The same rule in a grid search
# ------------------------------
# The rule is a function of ``cv_results_`` and works as ``refit=`` of scikit-learn's
# ``GridSearchCV``, also on a Pipeline. The rival that is hard to beat is the L2 penalty ``alpha``,
# tuned over as many values with plain training. So we search it beside ``rho``.

network = FlatMLPClassifier(measures=None, **settings)
grids = {
    "rho": (network, {"rho": RADII}, flattest_within_one_se),
    "alpha": (
        FlatMLPClassifier(measures=None, **settings | {"solver": "adam"}),
        {"alpha": [1e-4, 0.1, 0.3, 1.0, 3.0, 10.0]},
        True,
    ),
}
found = {
    name: GridSearchCV(estimator, grid, cv=5, refit=refit).fit(X_train, y_train)
    for name, (estimator, grid, refit) in grids.items()
}
for name, each in found.items():
    print(f"{name:<6} chosen {each.best_params_}, test {each.score(X_test, y_test):.3f}")

# %%
# The rule in a picture: the dashed line is one standard error below the best score, and the largest
# radius above it is taken. On the right are the test accuracies, which no search may look at. Both
# rules end within two points of each other, and in this split the flatter network is the worse one:
# the rule buys flatness at the price of up to one standard error, and no accuracy. Plain training
# with a tuned penalty does a little better than either, as in the larger study of the
# documentation.

error = search.cv_results_["std_test_score"] / 2  # over five splits: std / sqrt(n - 1)
test = [
    FlatMLPClassifier(measures=None, rho=rho, **settings)
    .fit(X_train, y_train)
    .score(X_test, y_test)
    for rho in rhos
]
tuned = found["alpha"].score(X_test, y_test)
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
left.errorbar(rhos, mean, error, fmt="o-", capsize=4)
left.axhline(
    mean[best] - error[best], color="0.4", ls="--", label="one standard error below the best"
)
left.plot(rhos[best], mean[best], "o", ms=15, mfc="none", mec="C1", mew=2, label="the best score")
left.plot(
    rhos[chosen],
    mean[chosen],
    "o",
    ms=15,
    mfc="none",
    mec="C3",
    mew=2,
    label="about as good, flattest",
)
left.set(ylabel="accuracy on rows held out, wrong labels included", title="What the search sees")
right.plot(rhos, test, "s-", color="0.4", label="by rho")
right.plot(
    rhos[[best, chosen]], np.take(test, [best, chosen]), "o", ms=15, mfc="none", mec="C3", mew=2
)
right.axhline(tuned, color="C2", ls=":", lw=2, label="plain training, tuned penalty")
right.set(ylabel="accuracy on test rows, right labels", title="What it does not see")
for ax in (left, right):
    ax.set(xlabel="rho")
    ax.grid(alpha=0.3)
    ax.legend(loc="lower left")
# sphinx_gallery_thumbnail_number = 2
plt.show()

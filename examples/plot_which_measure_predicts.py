"""
Which measure predicts how well a network generalises?
======================================================

Flatness is of interest because flat networks are said to do better on new rows. Whether a measure
really predicts that is a question with traps. Measures follow the training loss, and they follow
the hyper-parameters: if a large learning rate gives both flat networks and good ones, flatness
seems to predict, and adds nothing to what we knew already.

:func:`~skflat.experiments.predicts_generalization` trains a grid of networks *to the same training
loss*, takes the measures on the training rows and the scores on test rows, and computes the rank
correlations of four papers (Jiang and others, arXiv:1912.02178; Dziugaite and others,
arXiv:2010.11924).
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skflat import FlatMLPClassifier
from skflat.displays import GeneralizationDisplay
from skflat.experiments import predicts_generalization
from skflat.measures import EffectiveRank, HessianTrace, NormalizedMargin, Weakness

# %%
# A grid of networks at one loss
# ------------------------------
# Two learning rates, two batch sizes and two widths, from four starts each: 32 networks. Each
# trains until its loss is 0.1, so no measure can win by telling who has trained longer. One measure
# is a control: a number drawn at random.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=250, stratify=y, random_state=0
)
_, X_probe, _, _ = train_test_split(X_test, y_test, test_size=20, stratify=y_test, random_state=0)


def control(estimator, X, y):
    """A number that knows nothing."""
    return np.random.default_rng(int(1e9 * abs(estimator.coefs_[-1][0, 0]))).random()


measures = {
    "trace": HessianTrace(),
    "weakness": Weakness(X_probe=X_probe),
    "effective rank": EffectiveRank(),
    "normalised margin": NormalizedMargin(),
    "chance": control,
}
network = FlatMLPClassifier(solver="adam", max_iter=150, measures=None)
grid = {
    "learning_rate_init": [0.003, 0.03],
    "batch_size": [10, 60],
    "hidden_layer_sizes": [(16, 10), (64, 10)],
}
study = predicts_generalization(
    network, X_train, y_train, X_test, y_test, grid, measures, n_seeds=4, until=0.1
)
scores = np.array([run["score"] for run in study.runs])
fitted = np.array([run["fitted"] for run in study.runs], dtype=bool)
print(f"{fitted.sum()} of {len(fitted)} networks reach the loss")
print(f"test accuracy from {scores[fitted].min():.3f} to {scores[fitted].max():.3f}")

# %%
# Over all networks
# -----------------
# ``tau`` is Kendall's rank correlation with its interval, positive if the measure promises the
# truth (a smaller trace, or a larger weakness, and a better score).

summary = study.summary()
print(summary[["n", "tau", "tau_low", "tau_high"]].round(2).to_string())

# %%
# Along every axis of the grid
# ----------------------------
# The *granulated* coefficient compares only networks that differ in one hyper-parameter. A measure
# that merely follows the learning rate has a large value there and 0 along the other axes.

print(study.granulated().round(2).to_string())

# %%
# What is left once the hyper-parameters are known
# ------------------------------------------------
# The partial correlation holds the hyper-parameters fixed. This is the hard question, and with 32
# networks the intervals are wide.

partial = study.summary(given=["learning_rate_init", "batch_size"])
print(partial[[column for column in partial if "partial" in column]].round(2).to_string())

# %%
# Over all networks the trace predicts nothing: its interval is around 0, like that of the control.
# The normalised margin predicts best, and it costs one forward pass. Weakness predicts too, about
# as well as the effective rank of the hidden layer. The learning rate moves the trace the wrong
# way: at the larger rate networks are flatter and worse. Among networks of one rate and batch size
# the trace looks better, though its interval still reaches 0. So "does it predict?" has no answer
# without "among which networks?". This is one data set and one small grid. The study in the
# documentation has four sets and more measures.

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.4), layout="constrained")
GeneralizationDisplay.from_study(study, ax=left)
left.set_title("What predicts the test accuracy?")
rates = np.array([run["learning_rate_init"] for run in study.runs])
margin = np.array([run["normalised margin"] for run in study.runs])
for k, rate in enumerate(grid["learning_rate_init"]):
    right.plot(
        margin[rates == rate], scores[rates == rate], "o", color=f"C{k}", label=f"rate {rate}"
    )
right.set(
    xlabel="normalised margin", ylabel="test accuracy", title="The best of them, by learning rate"
)
right.legend()
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

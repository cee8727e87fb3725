"""
Where flat minima emerge
========================

How wide must a network be to fit its training rows? And how wide to fit them *flatly*? These are
two thresholds. Narrow networks do not reach zero training error. Slightly wider ones do, but their
solutions break under little noise. Wide ones have flat solutions (Baldassi and others,
arXiv:2110.00683, for binary perceptrons).

:func:`~skflat.experiments.emergence` trains a ladder of widths from several starts and estimates
both thresholds with their uncertainty.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skflat import FlatMLPClassifier
from skflat.displays import EmergenceDisplay
from skflat.experiments import emergence
from skflat.measures import LocalEnergy

# %%
# Two tasks
# ---------
# 400 digits, once with their labels and once with a twentieth of the labels drawn at random. A
# wrong label has to be learnt by heart, which takes more units.


def data(noise):
    """Training rows, a share of their labels drawn at random, and test rows with clean ones."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, train_size=400, stratify=y, random_state=0
    )
    rng = np.random.default_rng(0)
    redrawn = rng.choice(len(y_train), size=int(noise * len(y_train)), replace=False)
    y_train[redrawn] = rng.integers(10, size=len(redrawn))
    return X_train, y_train, X_test, y_test


# %%
# The ladder
# ----------
# A network is *solved* if it makes no error on its rows. It is *flat* if changing every weight by
# half of itself, at random, mislabels no more than one row in ten.

FLAT = 0.1


def explore(X, y, X_test, y_test):
    network = FlatMLPClassifier(
        solver="adam",
        learning_rate_init=0.02,
        max_iter=80,
        n_iter_no_change=np.inf,
        measures=None,
    )
    return emergence(
        network,
        X,
        y,
        [4, 6, 8, 12, 16, 24, 32, 64, 128],
        X_test=X_test,
        y_test=y_test,
        measure=LocalEnergy(scale=0.5, n_draws=20),
        level=FLAT,
    )


results = {
    "right labels": explore(*data(noise=0)),
    "5 % wrong labels": explore(*data(noise=0.05)),
}
for name, found in results.items():
    print(name)
    for kind, each in (("interpolation", found.interpolation_), ("flatness", found.flatness_)):
        at = each.reason or f"from width {each.size:.1f} on"
        print(f"  {kind:<14}{at} (95 %: between {each.low:g} and {each.high:g})")

# %%
# The share of starts that are solved rises to 1, and later the local energy of the solved ones
# falls below the level. Between the two thresholds there are solutions, and they are sharp. Wrong
# labels move both to the right. The test accuracy hardly changes past the first one: here flat
# solutions are no better than the first that exist. This is what `adam` finds in eighty epochs on
# one split. It does not say which solutions exist.

figure, axes = plt.subplots(1, 2, figsize=(13, 4.8), layout="constrained")
for ax, (name, found) in zip(axes, results.items(), strict=True):
    display = EmergenceDisplay.from_emergence(found, ax=ax)
    display.energy_ax_.axhline(FLAT, color="C1", lw=0.8, ls=":")
    display.energy_ax_.set_ylim(-0.03, 0.63)
    fits, flat = (f"{each.size:.0f}" for each in (found.interpolation_, found.flatness_))
    ax.set_title(f"{name}: fits from width {fits}, flat from {flat}")
    ax.set_xlabel("width of the hidden layer")
    ax.set_xticks([4, 8, 16, 32, 64, 128], [4, 8, 16, 32, 64, 128])
    ax.minorticks_off()
    legend = ax.get_legend() or display.energy_ax_.get_legend()
    labels = [text.get_text().split(" at ")[0] for text in legend.get_texts()]
    handles = legend.legend_handles
    legend.remove()
figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
plt.show()

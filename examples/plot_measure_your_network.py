"""
Measuring a network that you have
=================================

All measures take fitted networks of scikit-learn as they are, also at the end of a Pipeline. This
page measures two: one has learnt digits from right labels, the other from labels of which a fifth
is wrong. Both fit their labels almost perfectly, so the training accuracy does not tell which is
which. Does the loss around them?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skflat.displays import LocalEnergyDisplay, MarginDisplay, SpectrumDisplay
from skflat.measures import (
    adaptive_sharpness,
    hessian_eigenvalues,
    hessian_trace,
    level_set_distance,
    local_energy,
    margins,
    noise_stability,
    relative_flatness,
    spectral_density,
    weakness,
)

# %%
# Two networks of scikit-learn
# ----------------------------

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=600, stratify=y, random_state=0
)
rng = np.random.default_rng(0)
noisy = y_train.copy()
redrawn = rng.choice(len(noisy), size=len(noisy) // 5, replace=False)
noisy[redrawn] = rng.integers(10, size=len(redrawn))
labels = {"right labels": y_train, "20 % wrong": noisy}
models = {
    name: make_pipeline(
        MinMaxScaler(),
        MLPClassifier((50,), learning_rate_init=0.01, max_iter=1000, random_state=0),
    ).fit(X_train, each)
    for name, each in labels.items()
}
for name, model in models.items():
    print(f"{name:<13} training accuracy {model.score(X_train, labels[name]):.3f}", end=", ")
    print(f"test accuracy {model.score(X_test, y_test):.3f}")

# %%
# Nine measures
# -------------
# ``+-`` is the standard error of what is sampled. "at least" and "at most" mark what a search
# found: it bounds the quantity from one side. The last column says which network is the flatter one
# by that measure, unless the difference is within two standard errors.

MEASURES = {  # name in the table: function, and whether smaller is flatter
    "trace of the Hessian": (hessian_trace, True),
    "largest eigenvalue": (hessian_eigenvalues, True),
    "relative flatness": (relative_flatness, True),
    "adaptive sharpness": (adaptive_sharpness, True),
    "local energy, 50 % noise": (local_energy, True),
    "noise that is borne": (noise_stability, False),
    "distance of the level set": (level_set_distance, False),
    "margin, lowest tenth": (margins, False),
    "weakness": (weakness, False),
}


def as_text(measurement):
    error = f" +- {measurement.stderr:.2g}" if measurement.stderr > 0 else ""
    bound = {"lower_bound": "at least ", "upper_bound": "at most "}.get(measurement.kind, "")
    return f"{bound}{measurement.value:.3g}{error}"


print(f"{'':<28}" + "".join(f"{name:>20}" for name in models) + "   flatter by this")
for name, (function, smaller) in MEASURES.items():
    found = {each: function(model, X_train, labels[each]) for each, model in models.items()}
    clean, wrong = found.values()
    flatter = min(found, key=lambda each: found[each].value * (1 if smaller else -1))
    if abs(clean.value - wrong.value) < 2 * np.hypot(clean.stderr, wrong.stderr):
        flatter = "undecided"
    print(
        f"{name:<28}" + "".join(f"{as_text(each):>20}" for each in found.values()), f"  {flatter}"
    )

# %%
# Pictures of the same
# --------------------
# Wrong labels are learnt by heart, and that shows in the surroundings: noise on the weights does
# more harm, the spectrum of the Hessian reaches farther, and the margins are smaller. One split and
# one seed: this is what the measures do, no law about them.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 4.4), layout="constrained")
for name, model in models.items():
    energy = local_energy(model, X_train, labels[name], n_draws=50)
    LocalEnergyDisplay.from_measurement(energy, name=name, ax=left)
    spectrum = spectral_density(model, X_train, labels[name], width=0.03)  # one width for both
    SpectrumDisplay.from_measurement(spectrum, name=name, ax=middle)
    MarginDisplay.from_estimator(model, X_train, labels[name], name=name, ax=right)
left.set_title("How much worse under noise\n(mean and two standard errors)")
middle.set_title("Spectrum of the Hessian, smoothed\n(mean and two standard errors)")
right.set_title("Margins of the training rows\n(left of the line: misclassified)")
for ax in (left, middle, right):
    ax.grid(alpha=0.3)
plt.show()

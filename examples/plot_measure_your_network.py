"""Measure a network that you have already: scikit-learn's MLPClassifier, as it is.

    python examples/plot_measure_your_network.py

Two networks of scikit-learn learn to read digits, one from clean labels, one from labels of which
a fifth is drawn at random. Both fit their labels almost perfectly. The measures of skflat look at
the loss around them.

Prints a table and saves a picture in results/.
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from threadpoolctl import threadpool_limits

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

SEED = 0
PICTURE = Path(__file__).resolve().parents[1] / "results" / "plot_measure_your_network.png"

#: Name in the table, function, and which direction is flatter (or more robust).
MEASURES = [
    ("trace of the Hessian", hessian_trace, "smaller"),
    ("largest eigenvalue", hessian_eigenvalues, "smaller"),
    ("relative flatness", relative_flatness, "smaller"),
    ("adaptive sharpness", adaptive_sharpness, "smaller"),
    ("local energy, 50 % noise", local_energy, "smaller"),
    ("noise that is borne", noise_stability, "larger"),
    ("distance of the level set", level_set_distance, "larger"),
    ("margin, lowest tenth", margins, "larger"),
    ("weakness", weakness, "larger"),
]


def data():
    """Training and test rows, and the training labels with a fifth of them redrawn."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, stratify=y, random_state=SEED
    )
    rng = np.random.default_rng(SEED)
    noisy = y_train.copy()
    redrawn = rng.choice(len(y_train), size=len(y_train) // 5, replace=False)
    noisy[redrawn] = rng.integers(10, size=len(redrawn))
    return X_train, X_test, {"clean labels": y_train, "20 % noise": noisy}, y_test


def fit(X, y):
    network = MLPClassifier((50,), learning_rate_init=0.01, max_iter=1000, random_state=SEED)
    return make_pipeline(MinMaxScaler(), network).fit(X, y)


def measure(models, X, labels):
    """A list of measurements, one a model, for every measure."""
    return {
        name: [function(models[key], X, labels[key]) for key in models]
        for name, function, _ in MEASURES
    }


# ---------------------------------------------------------------------------------- output


def print_table(models, found, X_train, labels, X_test, y_test):
    print(f"{'':<28}" + "".join(f"{name:>24}" for name in models) + "   flatter is")
    accuracies = {
        "training accuracy": [models[name].score(X_train, labels[name]) for name in models],
        "test accuracy, clean": [models[name].score(X_test, y_test) for name in models],
    }
    for name, values in accuracies.items():
        print(f"{name:<28}" + "".join(f"{value:>24.4f}" for value in values))
    for name, _, flatter in MEASURES:
        print(f"{name:<28}" + "".join(map(as_text, found[name])) + f"   {flatter}")
    print(
        "\n+- is the standard error of what is sampled. 'at least' and 'at most' mark what a\n"
        "search found: it bounds the quantity from one side."
    )


def as_text(measurement):
    error = f" +- {measurement.stderr:.2g}" if measurement.stderr > 0 else ""
    bound = {"lower_bound": "at least ", "upper_bound": "at most "}.get(measurement.kind, "")
    return f"{bound}{measurement.value:.4g}{error}".rjust(24)


def print_findings(found):
    """Which network the measures call the flatter one, if they tell them apart."""
    print()
    for name, _, flatter in MEASURES:
        clean, noisy = found[name]
        verdict = "clean" if (clean.value < noisy.value) == (flatter == "smaller") else "noisy"
        values = sorted([clean.value, noisy.value])
        text = f"{verdict} labels are flatter, by a factor {values[1] / values[0]:.3g}"
        if abs(clean.value - noisy.value) < 2 * np.hypot(clean.stderr, noisy.stderr):
            text = "undecided: the difference is within two standard errors"
        print(f"{name:<28}{text}")
    print("\nOne split and one seed: this is what the measures do, no law about them.")


def save_picture(models, X, labels):
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    left, middle, right = axes
    for name, model in models.items():
        energy = local_energy(model, X, labels[name], n_draws=50)
        LocalEnergyDisplay.from_measurement(energy, name=name, ax=left)
        spectrum = spectral_density(model, X, labels[name], width=0.03)  # one width for both
        SpectrumDisplay.from_measurement(spectrum, name=name, ax=middle)
        MarginDisplay.from_estimator(model, X, labels[name], name=name, ax=right)
    left.set_title("How much worse under noise\n(mean and two standard errors)")
    middle.set_title("Spectrum of the Hessian, smoothed\n(mean and two standard errors)")
    right.set_title("Margins of the training rows\n(left of the line: misclassified)")
    for ax in axes:
        ax.grid(alpha=0.3)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    X_train, X_test, labels, y_test = data()
    with threadpool_limits(limits=1):
        models = {name: fit(X_train, y) for name, y in labels.items()}
        found = measure(models, X_train, labels)
        print_table(models, found, X_train, labels, X_test, y_test)
        print_findings(found)
        save_picture(models, X_train, labels)
    print(f"Picture: results/{PICTURE.name}")


if __name__ == "__main__":
    main()

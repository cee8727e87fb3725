"""Are the probabilities and intervals right? Ensembles and Laplace beside what is usual.

Two sets of classes and two of numbers, five draws of 2,000 training rows each. Classes: log-loss
and expected calibration error (15 bins of equal width, of the largest probability), beside
``CalibratedClassifierCV(method="temperature")``. Numbers: minus the log-likelihood of normal
predictions, and the share of test rows in the central interval of 90 %, beside a network with the
residuals of the training rows, and of 3-fold cross-validation.

    python benchmarks/uncertainty.py --data DIR
"""

import argparse
import csv
import warnings
from pathlib import Path

import numpy as np
from _study_data import NUMBERS, rows_of
from scipy.stats import norm
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss, root_mean_squared_error
from sklearn.model_selection import cross_val_predict

from skflat import (
    FlatMLPClassifier,
    FlatMLPEnsembleClassifier,
    FlatMLPEnsembleRegressor,
    FlatMLPRegressor,
    laplace,
)

SETS = ("letter", "higgs_7k", "california_housing", "protein_casp")
SEEDS = range(5)
COLUMNS = ("set", "seed", "method", "score", "log_loss", "calibration_error", "coverage", "width")
NETWORK = {
    "hidden_layer_sizes": (50,),
    "solver": "sam",
    "learning_rate_init": 0.005,
    "max_iter": 200,
    "measures": None,
}
ONE_TRAJECTORY = {"n_estimators": 1, "n_cycles": 5, "cycle_length": 20}
CSV = Path(__file__).with_suffix(".csv")


def classifiers(seed, X, y):
    """Fitted classifiers by name."""
    single = FlatMLPClassifier(**NETWORK, random_state=seed)
    fitted = clone(single).fit(X, y)
    return {
        "single": fitted,
        "temperature": CalibratedClassifierCV(
            single, method="temperature", cv=3, ensemble=False
        ).fit(X, y),
        "laplace": laplace(fitted, X, y),
        "seeds": FlatMLPEnsembleClassifier(single, 5, random_state=seed).fit(X, y),
        "trajectory": FlatMLPEnsembleClassifier(single, **ONE_TRAJECTORY, random_state=seed).fit(
            X, y
        ),
    }


def regressors(seed, X, y):
    """Functions from rows to mean and standard deviation, by name."""
    single = FlatMLPRegressor(**NETWORK, random_state=seed)
    fitted = clone(single).fit(X, y)
    seeds = FlatMLPEnsembleRegressor(single, 5, random_state=seed).fit(X, y)
    trajectory = FlatMLPEnsembleRegressor(single, **ONE_TRAJECTORY, random_state=seed).fit(X, y)
    held_out = y - cross_val_predict(single, X, y, cv=3)
    return {
        "single": with_noise(fitted, y - fitted.predict(X)),
        "cross-validated": with_noise(fitted, held_out),
        "laplace": with_std(laplace(fitted, X, y)),
        "seeds": with_std(seeds),
        "trajectory": with_std(trajectory),
    }


def with_noise(fitted, residuals):
    noise = np.sqrt(np.mean(residuals**2))
    return lambda X: (fitted.predict(X), np.full(X.shape[0], noise))


def with_std(fitted):
    return lambda X: fitted.predict(X, return_std=True)


def calibration_error(P, y, n_bins=15):
    """Mean gap between the largest probability and how often it is right, over bins of it."""
    confidence, right = P.max(axis=1), P.argmax(axis=1) == y
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, confidence - right, n_bins)
    return float(np.abs(gaps).sum() / len(y))


def of_classes(seed, train, test):
    classes = np.unique(train[1])
    for method, clf in classifiers(seed, *train).items():
        P = clf.predict_proba(test[0])
        codes = np.searchsorted(classes, test[1])
        score = accuracy_score(codes, P.argmax(axis=1))
        loss = log_loss(codes, P, labels=np.arange(len(classes)))
        yield method, score, loss, calibration_error(P, codes), "", ""


def of_numbers(seed, train, test):
    X, y = test
    half = norm.ppf(0.95)
    for method, predict in regressors(seed, *train).items():
        mean, std = (np.asarray(each, float) for each in predict(X))
        inside = np.abs(y - mean) <= half * std
        loss = -norm.logpdf(y, mean, std).mean()
        score = root_mean_squared_error(y, mean)
        yield method, score, loss, "", inside.mean(), 2 * half * std.mean()


def summary(rows):
    """Means over the seeds, and paired differences in log-loss to the single network."""
    for name in SETS:
        here = [row for row in rows if row["set"] == name]
        print(f"\n{name}\n{'':16}" + "".join(f"{each:>19}" for each in COLUMNS[3:]))
        single = column(here, "single", "log_loss")
        for method in dict.fromkeys(row["method"] for row in here):
            means = [np.mean(column(here, method, each)) for each in COLUMNS[3:]]
            gap = column(here, method, "log_loss") - single
            error = gap.std(ddof=1) / np.sqrt(len(gap))
            print(
                f"{method:16}"
                + "".join(f"{each:19.3f}" for each in means)
                + f"   log-loss {gap.mean():+.3f} +- {error:.3f}"
            )


def column(rows, method, name):
    return np.array([float(row[name] or "nan") for row in rows if row["method"] == method])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", metavar="DIR", required=True, help="folder with the .npz files")
    data = parser.parse_args().data
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = []
    for name in SETS:
        measured = of_numbers if name in NUMBERS else of_classes
        for seed in SEEDS:
            train, _, test = rows_of(name, data, 0.0, seed)
            for found in measured(seed, train, test):
                values = [f"{each:.5g}" if isinstance(each, float) else each for each in found]
                rows.append(dict(zip(COLUMNS, (name, seed, *values), strict=True)))
            print(name, seed, flush=True)
    with CSV.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    summary(rows)


if __name__ == "__main__":
    main()

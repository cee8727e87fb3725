"""What measuring adds to a fit with default settings.

python benchmarks/overhead.py [--data DIR] [--max-iter 200]

The three measures after a fit on 10,000 rows of Fashion-MNIST, and the weakness alone on
scikit-learn's sets: several classes, two, several labels, and numbers.
"""

import argparse
import time
import warnings

import numpy as np
from _data import add_data_argument, fashion_mnist
from _timing import print_ratio
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skflat import FlatMLPClassifier, FlatMLPRegressor

BAR = 0.10


def seconds(action, *args):
    start = time.perf_counter()
    action(*args)
    return time.perf_counter() - start


def three_measures(folder, max_iter):
    X, y, *_ = fashion_mnist(folder)
    X, y = X[:10_000] / 255, y[:10_000]
    clf = FlatMLPClassifier(measures=None, max_iter=max_iter, random_state=0)
    fit = seconds(clf.fit, X, y)
    print(f"default fit: {fit:.1f} s, {clf.n_iter_} epochs")
    total = 0.0
    for name in ("sharpness", "flatness", "weakness"):
        clf.set_params(measures=(name,))
        spent = seconds(clf.measure, X, y)
        total += spent
        print(f"  {name:<10} {spent:6.2f} s   {clf.measurements_[name]}")
    print_ratio("three measures / fit", total, fit, BAR)


def small_sets():
    """Name, estimator, inputs and targets."""
    digits, digit = load_digits(return_X_y=True)
    inputs, target = load_diabetes(return_X_y=True)
    labels = np.column_stack([digit % 2, digit > 4, np.isin(digit, (2, 3, 5, 7))]).astype(int)
    yield "digits, ten classes", FlatMLPClassifier(), digits, digit
    yield "breast cancer, two classes", FlatMLPClassifier(), *load_breast_cancer(return_X_y=True)
    yield "digits, odd or not", FlatMLPClassifier(), digits, digit % 2
    yield "digits: odd, above 4, prime", FlatMLPClassifier(), digits, labels
    yield "diabetes", FlatMLPRegressor(), inputs, (target - target.mean()) / target.std()
    yield "digits as numbers", FlatMLPRegressor(), digits, (digit - 4.5) / 2.9


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_argument(parser)
    parser.add_argument("--max-iter", type=int, default=200)
    args = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    three_measures(args.data, args.max_iter)
    for name, estimator, X, y in small_sets():
        X = StandardScaler().fit_transform(X)
        estimator.set_params(measures=None, random_state=0)
        fit = seconds(estimator.fit, X, y)
        estimator.set_params(measures=("weakness",))
        print_ratio(f"weakness / fit: {name}", seconds(estimator.measure, X, y), fit, BAR)


if __name__ == "__main__":
    main()

"""One bit a weight with many classes: how accurate, and how long, at default settings?

    python benchmarks/wide_minima/many_classes.py --data DIR

Accuracy on rows held out: letter (2,000 rows of DIR/letter.npz, 26 classes) and digits. Seconds of
the processor for 30 rows of 6 random features in 30 classes, for every solver of the perceptron:
all one-vs-rest problems are solved together.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skflat import FlatPerceptronClassifier
from skflat.solvers.binary import BINARY_SOLVERS

HERE = Path(__file__)


def letter(folder):
    """2,000 of the training rows, and the test rows."""
    with np.load(Path(folder) / "letter.npz", allow_pickle=False) as arrays:
        X, y, X_test, y_test = (arrays[f"{a}_{b}"] for b in ("train", "test") for a in "Xy")
    rows = np.random.default_rng(0).permutation(len(y))[:2000]
    return X[rows].astype(float), X_test.astype(float), y[rows], y_test


def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, random_state=0, stratify=y)


def accuracies(name, data, n_seeds):
    X, X_test, y, y_test = data
    for seed in range(n_seeds):
        clf = FlatPerceptronClassifier(measures=None, random_state=seed)
        start = time.process_time()
        clf.fit(X, y)
        seconds = round(time.process_time() - start, 2)
        train, test = round(clf.score(X, y), 4), round(clf.score(X_test, y_test), 4)
        yield {"data": name, "solver": "auto", "seed": seed, "seconds": seconds} | {
            "train": train,
            "test": test,
        }


def times():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(30, 6)), np.arange(30)
    for solver in ("auto", *sorted(set(BINARY_SOLVERS) - {"max_sum"})):
        clf = FlatPerceptronClassifier(solver, measures=None, random_state=0)
        start = time.process_time()
        clf.fit(X, y)
        seconds = round(time.process_time() - start, 2)
        yield {"data": "30 classes", "solver": solver, "seed": 0, "seconds": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="DIR", required=True, help="folder with letter.npz")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE.with_suffix(".csv"))
    args = parser.parse_args()
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # problems without a solution, and classes of one row
        rows = [
            *accuracies("letter", letter(args.data), args.seeds),
            *accuracies("digits", digits(), args.seeds),
            *times(),
        ]
    frame = pd.DataFrame(rows)
    frame.to_csv(args.out, index=False)
    print(frame.to_string(index=False))


if __name__ == "__main__":
    main()

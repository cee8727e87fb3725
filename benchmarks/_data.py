"""Real data for the benchmarks: from a folder of .npz files, or downloaded by scikit-learn."""

from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml


def add_data_argument(parser):
    """The --data option that every benchmark on real data takes."""
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="folder with fashion_mnist.npz (X_train, y_train, X_test, y_test); "
        "without it the set is downloaded from OpenML",
    )


def fashion_mnist(folder=None):
    """Fashion-MNIST, flattened, float32: training and test inputs and labels."""
    if folder is None:
        X, y = fetch_openml(
            "Fashion-MNIST",
            version=1,
            as_frame=False,
            return_X_y=True,
            # The classes as text: pandas 3.1 reads categories that look like numbers as numbers.
            read_csv_kwargs={"dtype": {784: str}},
        )
        X, y = X.astype(np.float32), y.astype(int)
        return X[:60_000], y[:60_000], X[60_000:], y[60_000:]
    with np.load(Path(folder) / "fashion_mnist.npz", allow_pickle=False) as arrays:
        parts = [arrays[name] for name in ("X_train", "y_train", "X_test", "y_test")]
    X_train, y_train, X_test, y_test = parts
    flat = [X.reshape(len(X), -1).astype(np.float32) for X in (X_train, X_test)]
    return flat[0], y_train.astype(int), flat[1], y_test.astype(int)

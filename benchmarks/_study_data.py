"""The sets of the study of what pays: rows for training, validation and test, and noise."""

from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import OneHotEncoder, StandardScaler

CLASSES = ("fashion_mnist", "mnist", "letter", "adult", "higgs_7k")
NUMBERS = ("california_housing", "protein_casp", "wine_quality", "bike_sharing_hour")
SETS = CLASSES + NUMBERS[:3]
#: Sets on which defaults are chosen, so that the study tests them on others.
OTHERS = ("wine_colour_quality", "bike_sharing_hour", "digits")
N_TRAIN, N_VALIDATION, N_TEST = 2000, 1000, 3000
NOISE = (0.0, 0.2, 0.4)
COMPONENTS = 128  # of images, so that a study of ten thousand fits takes an hour


@lru_cache(maxsize=1)  # the methods on one draw follow each other
def rows_of(name, folder, noise, seed):
    """Standardised rows of a set: three pairs of inputs and targets, float32.

    A share ``noise`` of the training and validation targets is wrong: other classes at random, or
    the targets of other rows. Those of the test rows are right.
    """
    X, y = whole(name, folder)
    n_train, n_validation = N_TRAIN, N_VALIDATION
    rng = np.random.default_rng(seed)
    if name == "digits":  # of its 1,797 rows, half are for training
        n_train, n_validation = 700, 300
    n_test = min(N_TEST, len(y) - n_train - n_validation)
    rows = rng.permutation(len(y))[: n_train + n_validation + n_test]
    X, y = X[rows], y[rows]
    y[: n_train + n_validation] = with_noise(y[: n_train + n_validation], noise, rng)
    X = _scaled(X, X[:n_train])
    if name in NUMBERS:
        y = ((y - y[:n_train].mean()) / y[:n_train].std()).astype(np.float32)
    cuts = [n_train, n_train + n_validation]
    return list(zip(np.split(X, cuts), np.split(y, cuts), strict=True))


def _scaled(X, train):
    """Standardised columns; of images, principal components of mean size 1."""
    if X.shape[1] <= COMPONENTS:
        return StandardScaler().fit(train).transform(X).astype(np.float32)
    found = PCA(COMPONENTS, random_state=0).fit(train).transform(X)
    return (found / found[: len(train)].std(axis=0).mean()).astype(np.float32)


def with_noise(y, share, rng):
    """Targets, a share of which is wrong."""
    noisy, wrong = y.copy(), rng.choice(len(y), size=round(share * len(y)), replace=False)
    if y.dtype.kind == "f":
        noisy[wrong] = y[rng.permutation(wrong)]
        return noisy
    classes = np.unique(y)
    step = rng.integers(1, len(classes), size=len(wrong))
    noisy[wrong] = classes[(np.searchsorted(classes, y[wrong]) + step) % len(classes)]
    return noisy


@cache
def whole(name, folder):
    """All inputs and targets of a set."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X.astype(np.float32), y
    file = {"wine_colour_quality": "wine_quality"}.get(name, name)
    with np.load(Path(folder) / f"{file}.npz", allow_pickle=False) as arrays:
        parts = {key: arrays[key] for key in arrays.files}
    X, y = (parts[key] if key in parts else parts[f"{key}_train"] for key in ("X", "y"))
    X = X.reshape(len(X), -1).astype(np.float32)
    if name == "adult":
        X = _columns(X, parts["is_categorical"])
    if name == "wine_colour_quality":  # good or not, by colour: four classes
        return X, 2 * parts["is_white"].astype(int) + (y >= 6)
    return X, y.astype(float) if name in NUMBERS else y.astype(int)


def _columns(X, is_categorical):
    codes, numbers = np.flatnonzero(is_categorical), np.flatnonzero(~is_categorical.astype(bool))
    one_hot = OneHotEncoder(sparse_output=False, min_frequency=50)
    return make_column_transformer((one_hot, codes), ("passthrough", numbers)).fit_transform(X)

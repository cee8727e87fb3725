"""Random patterns to store, equal on every machine, with exact results for small instances."""

import numpy as np

from skflat.models.threshold import Patterns

#: (weights, rows, seed) to: solutions; how many of which least stability (times sqrt(n)); those
#: without a solution one flip away; mean number of solutions one flip away.
ENUMERATED = {
    (11, 5, 1): (48, {1: 47, 3: 1}, 16, 1.5),
    (15, 3, 1): (4096, {1: 3250, 3: 780, 5: 66}, 60, 5.7129),
    (15, 7, 1): (36, {1: 36}, 6, 1.5556),
    (15, 9, 2): (68, {1: 68}, 45, 0.5588),
    (17, 8, 3): (246, {1: 245, 3: 1}, 75, 1.6016),
    (19, 9, 1): (908, {1: 906, 3: 2}, 171, 2.3965),
    (19, 13, 1): (106, {1: 106}, 36, 1.4717),
    (21, 10, 1): (977, {1: 974, 3: 3}, 275, 1.9652),
    (21, 15, 1): (10, {1: 10}, 8, 0.2),
}


def portable(n, n_rows, seed):
    """Signs of shape (n_rows, n): the top bits of a linear congruential generator."""
    x, bits = seed, []
    for _ in range(n * n_rows):
        x = (6364136223846793005 * x + 1442695040888963407) % 2**64
        bits.append(x >> 63)
    return 2.0 * np.array(bits).reshape(n_rows, n) - 1


def stored(n, n_rows, seed, **more):
    """The same as patterns of a perceptron whose labels are all +1."""
    return Patterns(portable(n, n_rows, seed)[None], **more)


def random_patterns(n, load, seed, dtype=float):
    """Many signs, quickly."""
    rng = np.random.default_rng(seed)
    return Patterns(rng.choice(np.array([-1, 1], dtype), (1, round(load * n), n)))


def sign_vectors(n):
    """All of them, shape (2^n, n)."""
    return 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) - 1


def solutions(patterns):
    """All weights of a small perceptron that satisfy all rows, by brute force."""
    W = sign_vectors(patterns.shape[1])
    return W[(W @ patterns.matrix.T + np.ravel(patterns.offset) > 0).all(axis=1)]

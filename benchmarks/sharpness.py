"""The exact Hessian trace: its time against one full gradient, its value against the dense Hessian.

python benchmarks/sharpness.py [--repeats 9]
"""

import argparse
from functools import partial

import numpy as np
from _timing import best_times, print_ratio

from skflat.models.mlp import MLP
from skflat.objective import ExactTrace, Multinomial, Objective, Workspace


def objective(n_rows, sizes, dtype):
    """A relu network on random data, and a point to measure it at."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, sizes[0])).astype(dtype)
    model = MLP(sizes, "relu")
    w = model.init(np.random.RandomState(0), np.dtype(dtype))
    return Objective(model, Multinomial(), X, rng.integers(sizes[-1], size=n_rows)), w


def dense_trace(small, w):
    """Trace of the Hessian, one column at a time."""
    return sum(small.hvp(w, column)[k] for k, column in enumerate(np.eye(len(w))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    for dtype in (np.float32, np.float64):
        large, w = objective(5_000, (784, 256, 10), dtype)
        work, out = Workspace(), np.empty_like(w)
        times = best_times(
            {
                "trace": partial(large.capability(ExactTrace).of_rows, w),
                "gradient": partial(large.loss_gradient, w, None, out, work),
            },
            args.repeats,
        )
        print(f"5,000 x 784, hidden 256, relu, {np.dtype(dtype).name}:")
        print("  " + ", ".join(f"{name} {1e3 * each:.1f} ms" for name, each in times.items()))
        print_ratio("exact trace / one full gradient", times["trace"], times["gradient"], 1.5)

    small, w = objective(50, (12, 9, 4), np.float64)
    exact, dense = small.capability(ExactTrace).of_rows(w).sum(axis=1).mean(), dense_trace(small, w)
    print("small copy, 50 x 12, hidden 9: relative error of the exact trace:")
    print_ratio("|exact - dense| / dense, in units of 1e-9", abs(exact - dense) / 1e-9, dense, 1.0)


if __name__ == "__main__":
    main()

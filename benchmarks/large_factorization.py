"""Cost of alternating least squares on many observations: time of one, and memory.

python benchmarks/large_factorization.py [--shape wide|long] [--observations N]

Synthetic values of rank 5 plus noise, observed at random. "long" is 25 million of 100,000 rows and
50,000 columns, with 32 components, beside 1 million. "wide" is 10 million of 1,000,000 rows and
100,000 columns, with 10 components, beside a half, a quarter and an eighth of it. The smaller sizes
have proportionally fewer rows and columns, so that every entity has as many observations. Every
size runs in a process of its own, so that the peak of memory is its own. The observations are files
that are mapped to memory. Seconds are of the process. The first size is measured before and after
the others, because programs that run meanwhile still take a part of the caches.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _timing import print_ratio
from sklearn.exceptions import ConvergenceWarning

from skflat import FlatMatrixFactorization

RANK, SWEEPS = 5, 5


@dataclass
class Shape:
    """Numbers of observations of a row and of a column, of components, and of all observations."""

    per_row: int
    per_column: int
    n_components: int
    sizes: list


SHAPES = {
    "long": Shape(250, 500, 32, [1_000_000, 25_000_000]),
    "wide": Shape(10, 100, 10, [1_250_000, 2_500_000, 5_000_000, 10_000_000]),
}


def sides(shape, n):
    return n // shape.per_row, n // shape.per_column


def write_data(folder, shape, n):
    """Files of the identifiers and the values."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(m, size=n, dtype=np.int32) for m in sides(shape, n)])
    left, right = (rng.standard_normal((m, RANK), dtype=np.float32) for m in sides(shape, n))
    y = rng.standard_normal(n, dtype=np.float32) / 4
    for part in np.array_split(np.arange(n), 100):  # so as not to hold all factors at once
        y[part] += np.einsum("ik,ik->i", left[X[part, 0]], right[X[part, 1]])
    np.save(folder / "X.npy", X)
    np.save(folder / "y.npy", y)


def peak():
    """Most memory this program has held so far, in GB, on Linux."""
    # That of ``resource.getrusage`` would contain what the parent has held before the start.
    (kibibytes,) = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(kibibytes) * 1024 / 1e9


def one(folder, n_components):
    """Print the seconds and the memory of a fit, and its score."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y = (np.load(Path(folder) / f"{name}.npy", mmap_mode="r") for name in ("X", "y"))
    model = FlatMatrixFactorization(
        n_components, rho=0.1, alpha=0.1, max_iter=SWEEPS, tol=0.0, measures=None, random_state=0
    )
    start = time.process_time()
    model.fit(X, y)
    print(time.process_time() - start, peak(), model.score(X[:100_000], y[:100_000]))


def measured(shape, n):
    """Seconds, peak of memory and score of a fit in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        write_data(Path(folder), shape, n)
        command = [sys.executable, __file__, "--one", folder, str(shape.n_components)]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
    return map(float, told.stdout.split())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shape", choices=list(SHAPES), default="long")
    parser.add_argument("--observations", type=int, help="at the largest size")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        one(args.one[0], int(args.one[1]))
        return
    shape, found = SHAPES[args.shape], []
    sizes = shape.sizes
    if args.observations:
        sizes = [size * args.observations // sizes[-1] for size in sizes]
    print(f"{SWEEPS} sweeps, {shape.n_components} components")
    for n in [*sizes, sizes[0]]:
        seconds, memory, score = measured(shape, n)
        found.append((n, seconds, memory))
        rows, columns = sides(shape, n)
        print(
            f"  {n:>12,} observations, {rows:>9,} x {columns:>7,}"
            f"{seconds:9.1f} s{1e6 * seconds / n:8.2f} us each{memory:8.2f} GB   R^2 {score:.3f}",
            flush=True,
        )
    rates, memory = [seconds / n for n, seconds, _ in found], max(peak for *_, peak in found)
    small = (rates[0] + rates[-1]) / 2
    print_ratio("time of an observation, largest size over first", rates[-2], small, 1.5)
    print_ratio("peak memory in GB, data included, over 4", memory, 4.0, 1.0)


if __name__ == "__main__":
    main()

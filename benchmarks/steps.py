"""What a step of every solver costs beyond the gradients it needs.

python benchmarks/steps.py [--repeats 7] [--dtype float32]

A network 784-100-10 on batches of 200 rows. The time of an epoch over that of as many gradients as
``n_grad_evals_`` counts, taken in turns; parts of a batch that a solver differentiates one by one
are so in the comparison as well.
"""

import argparse
import warnings
from functools import partial

import numpy as np
from _timing import best_times, print_ratio
from threadpoolctl import threadpool_limits

from skflat.models import MLP, Multinomial, Objective, Workspace
from skflat.solvers import SOLVERS, Run, Settings

N_ROWS, BATCH, SIZES = 2_000, 200, (784, 100, 10)
# Rows that are differentiated at a time, where that is not the batch.
PARTS = {"diffusion": BATCH // 8, "consensus": BATCH // 8}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_ROWS, SIZES[0])).astype(args.dtype)
    objective = Objective(MLP(SIZES), Multinomial(), X, rng.integers(SIZES[-1], size=N_ROWS))
    start = objective.model.init(np.random.RandomState(0), np.dtype(args.dtype))
    print(f"784-100-10, batches of {BATCH}, {args.dtype}: an epoch / the gradients it needs")
    for name, kind in SOLVERS.items():
        if kind.stochastic:
            measure(name, kind(), objective, start, args.repeats)


def measure(name, solver, objective, start, repeats):
    auto = solver.default_rho
    settings = Settings(rho=0.0 if auto is None else auto, batch_size=BATCH, max_iter=10**6)
    state = solver.init_state(objective, start.copy(), settings, np.random.default_rng(0))
    w, random_state, rows = start.copy(), np.random.RandomState(0), []

    def epoch():
        run = Run(objective, settings, random_state, max_epochs=1)
        solver.solve(w, state, run)
        rows.append(run.work.rows)

    epoch()
    times = best_times(
        {"epoch": epoch, "gradients": partial(gradients, objective, start, name, rows)}, repeats
    )
    print_ratio(name, times["epoch"], times["gradients"], 1.15)


def gradients(objective, w, name, rows):
    """As many rows differentiated as in the last epoch, from as many batches gathered."""
    size, work, out = PARTS.get(name, BATCH), Workspace(), np.empty_like(w)
    order, n_parts = np.random.RandomState(1).permutation(N_ROWS), BATCH // size
    turns = max(1, rows[-1] // N_ROWS) * n_parts  # a batch is differentiated before the next
    for k in range(rows[-1] // size):
        if k % turns == 0:
            first = k // turns * BATCH % N_ROWS
            parts = list(objective.batch(order[first : first + BATCH], work).pieces(size))
        objective.loss_gradient(w, parts[k % n_parts], out, work)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()

"""What a step of every solver costs beyond the gradients it needs.

python benchmarks/steps.py [--repeats 7] [--dtype float32]

A network 784-100-10 on batches of 200 rows. The time of an epoch over that of the gradients it
needs: the same batches gathered and as many rows differentiated at a time, in the same order, and
nothing else. The two take turns. Then a step of the rules that are to cost
hardly more than one gradient, over one of `adam`, with a network 784-256-10 on batches of 128 rows.
"""

import argparse
import warnings
from functools import partial

import numpy as np
from _timing import best_times, print_ratio
from threadpoolctl import threadpool_limits

from skflat.models.mlp import MLP
from skflat.objective import Batch, Multinomial, Objective, TraceGradient, Workspace
from skflat.solvers import EMA, SOLVERS, Adam, OneSidedNoise, Run, Settings, TracePenalty

N_ROWS, BATCH, SIZES = 2_000, 200, (784, 100, 10)
CHEAP_ROWS, CHEAP_BATCH, CHEAP_SIZES = 1_280, 128, (784, 256, 10)  # 10 steps an epoch
CHEAP = {
    "trace, interval=10": (TracePenalty(interval=10), 1.15),
    "one_sided_noise": (OneSidedNoise(), 1.25),
    "ema": (EMA(), 1.1),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    data, start = network(SIZES, N_ROWS, args.dtype)
    print(f"784-100-10, batches of {BATCH}, {args.dtype}: an epoch / the gradients it needs")
    for name, kind in SOLVERS.items():
        if kind.stochastic:
            measure(name, kind(), data, start, args.repeats)
    data, start = network(CHEAP_SIZES, CHEAP_ROWS, args.dtype)
    print(f"784-256-10, batches of {CHEAP_BATCH}, {args.dtype}: a step / one of adam")
    compare_with_adam(data, start, args.repeats)


def network(sizes, n_rows, dtype):
    """What an objective is made of, and a point."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, sizes[0])).astype(dtype)
    data = MLP(sizes), Multinomial(), X, rng.integers(sizes[-1], size=n_rows)
    return data, data[0].init(np.random.RandomState(0), np.dtype(dtype))


def epochs(solver, objective, start, batch_size):
    """A function that trains for an epoch on an objective, and goes on where it ended."""
    auto = solver.default_rho
    settings = Settings(rho=0.0 if auto is None else auto, batch_size=batch_size, max_iter=10**6)
    w, random_state = start.copy(), np.random.RandomState(0)
    state = solver.init_state(objective, w, settings, np.random.default_rng(0))

    def epoch(objective):
        solver.solve(w, state, Run(objective, settings, random_state, max_epochs=1))

    return epoch


def compare_with_adam(data, start, repeats):
    objective = Objective(*data, reported=True)
    solvers = {"adam": Adam()} | {name: solver for name, (solver, _) in CHEAP.items()}
    contenders = {
        name: partial(epochs(solver, objective, start, CHEAP_BATCH), objective)
        for name, solver in solvers.items()
    }
    times = best_times(contenders, 20 * repeats)  # short turns, and many: the bars are close
    for name, (_, bar) in CHEAP.items():
        print_ratio(name, times[name], times["adam"], bar)


def measure(name, solver, data, start, repeats):
    objective, recorder = Objective(*data, reported=True), Recorder(*data, reported=True)
    epoch = epochs(solver, objective, start, BATCH)
    epoch(recorder)
    contenders = {
        "epoch": partial(epoch, objective),
        "gradients": partial(gradients, objective, start, recorder.calls),
    }
    times = best_times(contenders, repeats)
    print_ratio(name, times["epoch"], times["gradients"], 1.15)


class Recorder(Objective):
    """An objective that notes which rows are gathered, and how many are differentiated."""

    def __init__(self, *data, **settings):
        super().__init__(*data, **settings)
        self.calls = []

    def as_reported(self):
        return self

    def batch(self, rows=None, work=None):
        if isinstance(rows, np.ndarray):
            self.calls.append(rows.copy())
        return super().batch(rows, work)

    def loss_gradient(self, w, batch=None, out=None, work=None):
        self.calls.append(len(batch))
        return super().loss_gradient(w, batch, out, work)

    def functional_gradient(self, w, foot, batch=None, out=None, work=None):
        self.calls.append(len(batch))
        return super().functional_gradient(w, foot, batch, out, work)

    def capability(self, kind):
        found = super().capability(kind)
        return RecordedTrace(self, found) if found and kind is TraceGradient else found


class RecordedTrace(TraceGradient):
    """Notes a gradient of the trace as the gradients that it counts."""

    def __init__(self, objective, known):
        super().__init__(objective)
        self.known = known

    def gradient(self, w, batch=None, out=None, work=None):
        before = work.rows
        found = self.known.gradient(w, batch, out, work)
        self.objective.calls += [len(batch)] * ((work.rows - before) // len(batch))
        return found


def gradients(objective, w, calls):
    """What a recorder noted, once more; parts of a batch follow each other in it."""
    work, out = Workspace(), np.empty_like(w)
    for call in calls:
        if isinstance(call, np.ndarray):
            batch, first = objective.batch(call, work), 0
            continue
        first = first if first + call <= len(batch) else 0
        rows = slice(first, first + call)
        objective.loss_gradient(w, Batch(batch.X[rows], batch.y[rows]), out, work)
        first += call


if __name__ == "__main__":
    with threadpool_limits(1):
        main()

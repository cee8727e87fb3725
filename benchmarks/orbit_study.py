"""Does the flattest point of the orbit predict what the trace at hand does not?

python benchmarks/orbit_study.py [--data DIR] [--sets NAME ...] [--networks 100] [--jobs 2]

The networks of two studies, each of which learns the same rows from different starts, trained again
by their own code: those of `weakness_model_selection.py` (784-64-8-10, 250 rows of MNIST and of
Fashion-MNIST) and those of `vanishing_advantage.py` (784-256-128-10, half of them in small and half
in large batches; 500 and 2,000 rows of MNIST). Of each network the exact trace of the Hessian as
training left it, with balanced norms, and at the trace's own minimum over all rescalings, which no
rescaling can change; and weakness. Spearman's rank correlations with the test accuracy, with 95 %
bootstrap intervals, and the differences between them.

Every network goes to a CSV file here as soon as it is measured, and what is there is not measured
again. --report only prints. The two sets of the first study take a few minutes of two cores,
``batches 500`` half an hour, ``batches 2000`` an hour and a half.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import vanishing_advantage as batches
import weakness_model_selection as ranking
from _images import images
from _intervals import partial_spearman, with_interval
from _networks import as_estimator
from _progress import track

from skflat._parallel import run
from skflat.measures import hessian_trace, orbit_trace, weakness
from skflat.models.mlp import MLP
from skflat.symmetry import flatten

HERE = Path(__file__).resolve().parent
RANKED, BATCHES = ("mnist", "fashion_mnist"), {"batches 500": 500, "batches 2000": 2000}
COLUMNS = ("raw trace", "norm-balanced trace", "orbit trace", "weakness")
AT_ONCE, N_WEAK = 10, 250


# ------------------------------------------------------------------------------- networks


def measured(name, number, network, X, y, probes, X_test, y_test):
    """One row of the table."""
    few = slice(N_WEAK)
    open_pairs = weakness(network, X[few], y[few], X_probe=probes, target="labels")
    return {
        "set": name,
        "network": number,
        "train": network.score(X, y),
        "test": network.score(X_test, y_test),
        "raw trace": hessian_trace(network, X, y).value,
        "norm-balanced trace": hessian_trace(flatten(network, X, y, criterion="norm"), X, y).value,
        "orbit trace": orbit_trace(network, X, y).value,
        "weakness": open_pairs.value,
    }


def of_ranking(name, numbers, args):
    """Networks of the first study, trained together, and measured one by one."""
    data = ranking.rows_of(name, args.data)
    networks = ranking.trained(*data[:2], numbers)
    for part in parts(range(len(numbers)), AT_ONCE):
        yield run(measured, [(name, numbers[k], networks[k], *data) for k in part], args.jobs)


def of_batches(name, numbers, args):
    """Networks of the second study; odd numbers learn in large batches."""
    X, y, X_test, y_test = batches.rows_of(BATCHES[name], *images("mnist", args.data))
    probes = X_test[np.random.default_rng(99).permutation(len(X_test))[: ranking.N_PROBES]]
    for part in parts(numbers, args.jobs):
        tasks = [(name, number, X, y, probes, X_test, y_test) for number in part]
        yield run(one_of_batches, tasks, args.jobs)


def one_of_batches(name, number, X, y, probes, X_test, y_test):
    """Train and measure a network of the second study."""
    large = number % 2 == 1
    seed = number // 2 + (100 if large else 0)
    w, _ = batches.train(BATCHES[name], large, seed, X, y)
    network = as_estimator(*MLP(batches.SIZES).split(w))
    return measured(name, number, network, X, y, probes, X_test, y_test)


def parts(items, size):
    """The items in groups."""
    return [items[k : k + size] for k in range(0, len(items), size)]


def measure_all(name, args, frame):
    """Add to the table what it does not hold yet."""
    known = set(frame.loc[frame["set"] == name, "network"])
    numbers = [k for k in range(args.networks) if k not in known]
    if not numbers:
        return frame
    size, study = (AT_ONCE, of_ranking) if name in RANKED else (args.jobs, of_batches)
    found = study(name, numbers, args)
    for rows in track(found, -(-len(numbers) // size), name):
        frame = pd.concat([frame, pd.DataFrame(rows)])
        frame.to_csv(args.out, index=False, float_format="%.8g")
    return frame


# ----------------------------------------------------------------------------- statistics


def gain(test, one, other, axis=-1):
    """By how much one measure ranks more strongly than another."""
    first, second = (partial_spearman(test, each, axis=axis) for each in (one, other))
    return np.abs(first) - np.abs(second)


def report(name, frame):
    """Correlations of one set, and by how much the orbit trace is ahead."""
    test = frame["test"]
    print(
        f"\n{name}: {len(frame)} networks, test accuracy {test.mean():.4f} (sd {test.std():.4f})\n"
        f"{'':<22}{'mean':>10}{'sd of log':>11}   Spearman with test accuracy"
    )
    for column in COLUMNS:
        spread = np.log(frame[column]).std()
        found = with_interval(partial_spearman, [test, frame[column]])
        print(f"{column:<22}{frame[column].mean():>10.4g}{spread:>11.3f}   {as_text(found)}")
    for other in ("raw trace", "norm-balanced trace", "weakness"):
        found = with_interval(gain, [test, frame["orbit trace"], frame[other]])
        print(f"|orbit trace| - |{other}|: {as_text(found)}")
    rise = (frame["norm-balanced trace"] / frame["raw trace"]).to_numpy()
    fall = (frame["orbit trace"] / frame["raw trace"]).to_numpy()
    print(
        f"Balanced norms raise the trace of {np.mean(rise > 1):.0%}, median x {np.median(rise):.2f}"
        f"; at the minimum it is x {np.median(fall):.2f}."
    )


def as_text(found):
    return "{:+.3f} [{:+.2f}, {:+.2f}]".format(*found)


def main():
    names = [*RANKED, *BATCHES]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="folder with the .npz files; else OpenML")
    parser.add_argument("--sets", nargs="+", default=names, choices=names)
    parser.add_argument("--networks", type=int, default=100, help="of every set")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", default=HERE / "orbit_study.csv", type=Path)
    parser.add_argument("--report", action="store_true", help="measure nothing more")
    args = parser.parse_args()
    frame = pd.DataFrame(columns=["set", "network"])
    if args.out.exists():
        frame = pd.read_csv(args.out)
    for name in args.sets:
        frame = frame if args.report else measure_all(name, args, frame)
    for name in args.sets:
        part = frame[frame["set"] == name]
        if len(part):
            report(name, part)


if __name__ == "__main__":
    main()

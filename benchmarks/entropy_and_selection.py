"""What weakness is good for: a bonus in training, and the choice among starts, with the rivals.

python benchmarks/entropy_and_selection.py [--data DIR] [--seeds 6] [--jobs 2]

Networks 784-64-8-10 learn 250 rows of MNIST and of Fashion-MNIST, without and with 20 % of wrong
labels. A seed draws the rows, the wrong labels and the starts.

1. Training. `PatternEntropy` (the entropy of the activation pattern as a bonus), Adam and SAM,
   each within 80 gradients of every row. Every method has the same rates to choose from, and the
   radii or weights in METHODS. The setting of a seed is the one with the best mean accuracy on the
   1,000 clean validation rows of the other seeds. Table: test accuracy and weakness at 100 unseen
   inputs, paired differences from Adam. On five of the draws a rate of 0.0003 was worse for all.
2. Selection. Of eight starts of Adam, `select` takes one by weakness, by its rivals and by the
   validation rows. Table: test accuracy less the mean of the pool.

Every fit goes to a CSV file here, and what is there is not trained again. It takes about six
minutes of one core.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _images import IMAGES, images
from _progress import track

from skflat import FlatMLPClassifier
from skflat._parallel import run
from skflat.experiments import select, standard_error
from skflat.measures import Weakness, weakness

HERE = Path(__file__).resolve().parent
FITS, POOLS = HERE / "entropy_and_selection.csv", HERE / "entropy_and_selection.pools.csv"
N_TRAIN, N_VALID, N_PROBES, N_TEST = 250, 1000, 100, 5000
NOISE, BUDGET, N_STARTS = (0.0, 0.2), 80, 8
RATES = (0.001, 0.003, 0.01)
#: Epochs within the budget, and the values of rho to choose from.
METHODS = {
    "adam": (BUDGET, ("auto",)),
    "sam": (BUDGET // 2, (0.02, 0.05)),
    "entropy": (BUDGET // 2, (0.003, 0.03)),
}
RIVALS = ("effective_rank", "normalized_margin", "sharpness")


def rows_of(name, folder, noise, seed):
    """Training rows with wrong labels, clean validation rows, unseen probes, test rows."""
    X, y, X_test, y_test = images(name, folder)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    train, valid, probes = np.split(order, np.cumsum([N_TRAIN, N_VALID, N_PROBES]))[:3]
    wrong = rng.random(N_TRAIN) < noise
    labels = np.where(wrong, (y[train] + rng.integers(1, 10, N_TRAIN)) % 10, y[train])
    test = rng.permutation(len(y_test))[:N_TEST]
    valid = X[valid], y[valid]
    return (X[train], labels), valid, X[probes], (X_test[test], y_test[test])


def fitted(data, solver, rate, rho, n_epochs, seed):
    network = FlatMLPClassifier(
        (64, 8),
        solver=solver,
        rho=rho,
        learning_rate_init=rate,
        batch_size=50,
        max_iter=n_epochs,
        n_iter_no_change=np.inf,
        measures=None,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all epochs are used, and some rates learn little
        return network.fit(*data)


def fits_of(name, folder, noise, seed):
    """All settings of all methods on one draw of rows."""
    train, valid, probes, test = rows_of(name, folder, noise, seed)
    found = []
    for solver, (n_epochs, rhos) in METHODS.items():
        for rate in RATES:
            for rho in rhos:
                network = fitted(train, solver, rate, rho, n_epochs, seed)
                open_pairs = weakness(network, *train, X_probe=probes, target="predictions")
                found.append(
                    {
                        "data": name,
                        "noise": noise,
                        "seed": seed,
                        "solver": solver,
                        "rate": rate,
                        "rho": rho,
                        "gradients": network.n_grad_evals_,
                        "train": network.score(*train),
                        "valid": network.score(*valid),
                        "test": network.score(*test),
                        "weakness": open_pairs.value,
                    }
                )
    return found


def pool_of(name, folder, noise, seed, rate):
    """The test accuracies of what each measure chooses among several starts of Adam."""
    train, valid, probes, test = rows_of(name, folder, noise, seed)
    starts = [1000 * (seed + 1) + k for k in range(N_STARTS)]
    pool = [fitted(train, "adam", rate, "auto", BUDGET, start) for start in starts]
    found = select(pool, *train, by=Weakness(X_probe=probes), rivals=RIVALS, validation=valid)
    scores = [network.score(*test) for network in pool]
    row = {"data": name, "noise": noise, "seed": seed, "rate": rate, "pool": np.mean(scores)}
    chosen = {by.lower(): scores[place] for by, place in found.choices.items()}
    return [row | {"best of the pool": max(scores)} | chosen]


def completed(path, function, tasks, jobs):
    """A frame of all tasks; what the file does not hold yet is computed and added."""
    frame = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["data", "noise", "seed"])
    known = set(frame[["data", "noise", "seed"]].itertuples(index=False, name=None))
    left = [task for task in tasks if (task[0], task[2], task[3]) not in known]
    parts = [left[k : k + jobs] for k in range(0, len(left), jobs)]
    for part in track(parts, len(parts), path.stem):
        found = [row for rows in run(function, part, jobs) for row in rows]
        frame = pd.concat([frame, pd.DataFrame(found)]) if len(frame) else pd.DataFrame(found)
        frame.to_csv(path, index=False, float_format="%.6g")
    return frame


def chosen(frame, solver):
    """One fit of a method for each set, noise and seed: its setting is that of the other seeds."""
    of_solver = frame[frame["solver"] == solver]
    rows = []
    for _, part in of_solver.groupby(["data", "noise"]):
        for seed, fits in part.groupby("seed"):
            others = part[part["seed"] != seed].groupby(["rate", "rho"])["valid"].mean()
            rate, rho = others.idxmax()
            rows.append(fits[(fits["rate"] == rate) & (fits["rho"] == rho)].iloc[0])
    return pd.DataFrame(rows).set_index(["data", "noise", "seed"]).sort_index()


def as_text(values, unit):
    return f"{unit * values.mean():+.3f} +- {unit * standard_error(values):.3f}"


def report_training(frame):
    frame = frame.assign(rho=frame["rho"].astype(str))
    best = {solver: chosen(frame, solver)[["test", "weakness"]].astype(float) for solver in METHODS}
    rows = {}
    for noise in (*NOISE, "all"):
        for solver, found in best.items():
            of_noise = found.index.isin(NOISE if noise == "all" else [noise], level="noise")
            less = (found - best["adam"])[of_noise].to_numpy()
            rows[solver, noise] = {
                "test, %": f"{100 * found['test'][of_noise].mean():.2f}",
                "less adam": as_text(less[:, 0], 100),
                "weakness": f"{found['weakness'][of_noise].mean():.3f}",
                "weakness less adam": as_text(less[:, 1], 1),
            }
    print(f"\nTraining within {BUDGET} gradients of every row:")
    print(pd.DataFrame(rows).T.to_string())


def report_selection(frame):
    columns = [name for name in frame if name not in {"data", "noise", "seed", "rate", "pool"}]
    rows = {}
    for noise in (*NOISE, "all"):
        part = frame if noise == "all" else frame[frame["noise"] == noise]
        rows[noise] = {
            name: as_text((part[name] - part["pool"]).to_numpy(float), 100) for name in columns
        }
    print(f"\nOne of {N_STARTS} starts, test accuracy in points less the mean of the pool:")
    print(pd.DataFrame(rows).to_string())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="folder with the .npz files; else OpenML")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    tasks = [
        (name, args.data, noise, seed)
        for seed in range(args.seeds)
        for name in IMAGES
        for noise in NOISE
    ]
    fits = completed(FITS, fits_of, tasks, args.jobs)
    rates = fits[fits["solver"] == "adam"].groupby("rate")["valid"].mean()
    rate = float(rates.idxmax())
    pools = completed(POOLS, pool_of, [(*task, rate) for task in tasks], args.jobs)
    report_training(fits)
    report_selection(pools)


if __name__ == "__main__":
    main()

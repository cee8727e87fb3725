"""Which measure picks the better network out of a pool of a hundred that fit alike?

python benchmarks/pools.py [--data DIR] [--draws 10] [--report]

Networks 49-32-8-10 learn 250 or 1,000 rows of MNIST and of Fashion-MNIST (pixels averaged four by
four), with no or 20 % wrong labels. A draw has its own rows, wrong labels and starts. Two pools:

* starts: 100 networks that differ in their seed alone, after 25 epochs of Adam;
* epochs: one network after each of its first 100 epochs.

Each criterion chooses among the quarter of a pool with the least training loss, so that what it
chooses from has fitted alike: weakness at ten unseen inputs, effective rank, normalised margin, the
trace and its least over the orbit, the training loss itself, and the accuracy on 30, 100 or 1,000
further rows, whose labels are as often wrong as those of the training rows. With 1,000 rows
measures see 500 of them. A number is the test accuracy of the choice on 5,000 clean rows.

Every pool goes to a CSV file here, and what is there is not computed again. It takes a
quarter of an hour of one core.
"""

import argparse
import copy
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _images import IMAGES, images
from _progress import track
from entropy_and_selection import as_text

from skflat import FlatMLPClassifier
from skflat.experiments import select
from skflat.measures import Weakness

CSV = Path(__file__).resolve().with_suffix(".csv")
ROWS, NOISE = (250, 1000), (0.0, 0.2)
SIZE, QUARTER, N_EPOCHS = 100, 25, 25
N_PROBES, N_TEST, MOST_ROWS = 10, 5000, 500
VALIDATION = (30, 100, 1000)
RIVALS = ("effective_rank", "normalized_margin", "sharpness", "orbit_trace")
#: What names a pool in the file.
KEYS = ["pool", "data", "rows", "noise", "draw"]


def smaller(X):
    """Images 28 x 28 as 7 x 7."""
    return X.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(len(X), -1)


def rows_of(data, n_rows, noise, draw):
    """Training rows, validation rows, unseen probes and test rows."""
    X, y, X_test, y_test = data
    rng = np.random.default_rng(draw)
    sizes = np.cumsum([n_rows, max(VALIDATION), N_PROBES])
    train, valid, probes = np.split(rng.permutation(len(y)), sizes)[:3]
    wrong = np.where(rng.random(len(y)) < noise, (y + rng.integers(1, 10, len(y))) % 10, y)
    test = rng.permutation(len(y_test))[:N_TEST]
    training, validation = ((X[rows], wrong[rows]) for rows in (train, valid))
    return training, validation, X[probes], (X_test[test], y_test[test])


def network(n_rows, seed):
    return FlatMLPClassifier(
        (32, 8),
        solver="adam",
        learning_rate_init=0.01,
        batch_size=n_rows // 10,
        max_iter=N_EPOCHS,
        n_iter_no_change=np.inf,
        measures=None,
        random_state=seed,
    )


def starts(train, draw):
    """Networks that differ in their seed."""
    return [network(len(train[0]), 1000 * draw + k).fit(*train) for k in range(SIZE)]


def epochs(train, draw):
    """One network at the end of each of its epochs."""
    pool, running = [], network(len(train[0]), 1000 * draw)
    for _ in range(SIZE):
        running.partial_fit(*train, classes=np.arange(10))
        pool.append(copy.deepcopy(running))
    return pool


POOLS = {"starts": starts, "epochs": epochs}


def losses(pool, X, y):
    shares = [network.predict_proba(X)[np.arange(len(y)), y] for network in pool]
    return np.array([-np.log(np.maximum(share, 1e-12)).mean() for share in shares])


def chosen(kind, train, valid, probes, test, draw):
    """Test accuracies of what each criterion chooses, and of the whole pool and its quarter."""
    pool = POOLS[kind](train, draw)
    order = np.argsort(losses(pool, *train), kind="stable")
    scores = np.array([network.score(*test) for network in pool])
    fitted = [pool[k] for k in order[:QUARTER]]
    found = select(
        fitted, *train, by=Weakness(X_probe=probes), rivals=RIVALS, max_samples=MOST_ROWS
    )
    picks = {name.lower(): place for name, place in found.choices.items()}
    for n in VALIDATION:
        accuracies = [network.score(valid[0][:n], valid[1][:n]) for network in fitted]
        picks[f"validation {n}"] = int(np.argmax(accuracies))
    ends = {"last": scores[-1]} if kind == "epochs" else {}
    return {
        "all": scores.mean(),
        "quarter": scores[order[:QUARTER]].mean(),
        "best": scores[order[:QUARTER]].max(),
        **ends,
        "training loss": scores[order[0]],
        **{name: scores[order[place]] for name, place in picks.items()},
    }


def completed(folder, n_draws):
    """A frame of all pools; what the file does not hold yet is computed and added."""
    frame = pd.read_csv(CSV) if CSV.exists() else pd.DataFrame(columns=KEYS)
    known = set(frame[KEYS].itertuples(index=False, name=None))
    tasks = [
        (kind, name, n_rows, noise, draw)
        for n_rows in ROWS
        for draw in range(n_draws)
        for name in IMAGES
        for noise in NOISE
        for kind in POOLS
    ]
    left, data = [task for task in tasks if task not in known], {}
    for task in track(left, len(left), CSV.stem):
        kind, name, *drawn = task
        if name not in data:
            X, y, X_test, y_test = images(name, folder)
            data[name] = smaller(X), y, smaller(X_test), y_test
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # all epochs are used, converged or not
            row = chosen(kind, *rows_of(data[name], *drawn), drawn[-1])
        row = pd.DataFrame([dict(zip(KEYS, task, strict=True)) | row])
        frame = pd.concat([frame, row]) if len(frame) else row
        frame.to_csv(CSV, index=False, float_format="%.6g")
    return frame


def over_pools(frame, differences):
    """Mean in points, and its standard error over sets and draws.

    Pools of one set and draw share rows, so their mean counts as one.
    """
    means = differences.groupby([frame["data"], frame["draw"]]).mean()
    return as_text(means.to_numpy(), 100)


def gains(frame, kind):
    """Test accuracy of every choice less the mean of its quarter, in points, by rows and noise."""
    part = frame[frame["pool"] == kind].dropna(axis=1, how="all")
    groups = {"all pools": part}
    groups |= {f"{noise:.0%} wrong": part[part["noise"] == noise] for noise in NOISE}
    groups |= {f"{n_rows:,} rows": part[part["rows"] == n_rows] for n_rows in ROWS}
    names = part.columns.drop([*KEYS, "quarter"])
    return pd.DataFrame(
        {
            group: {name: over_pools(rows, rows[name] - rows["quarter"]) for name in names}
            for group, rows in groups.items()
            if len(rows)
        }
    )


def weakness_less(frame, kind):
    """Test accuracy of what weakness chooses less that of every other choice, in points."""
    part = frame[frame["pool"] == kind].dropna(axis=1, how="all")
    names = part.columns.drop([*KEYS, "weakness"])
    return pd.Series({name: over_pools(part, part["weakness"] - part[name]) for name in names})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="folder with the .npz files; else OpenML")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--report", action="store_true", help="only print what the file holds")
    args = parser.parse_args()
    frame = pd.read_csv(CSV) if args.report else completed(args.data, args.draws)
    for kind in POOLS:
        print(f"\nPools of {kind}, points of test accuracy less the mean of the quarter:")
        print(
            gains(frame, kind).assign(**{"weakness less": weakness_less(frame, kind)}).to_string()
        )


if __name__ == "__main__":
    main()

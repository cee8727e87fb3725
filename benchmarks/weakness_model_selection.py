"""Which measure ranks networks by their test accuracy: weakness, sharpness, norm, and rivals.

python benchmarks/weakness_model_selection.py [--data DIR] [--sets mnist fashion_mnist] [--jobs 2]

After Bennett (arXiv:2605.05209): 100 networks 784-64-8-10 learn the same 250 rows from different
starts, all of them until they fit. Weakness is the share of 100 unseen inputs times 10 classes
that some last layer can realise which fits the training labels. Spearman's rank correlations with
the test accuracy, raw and with other measures held fixed, with bootstrap intervals, stand next to
the published ones. Rows and starts are drawn by the published laws, but not with its generator, so
they are other rows and other networks.

Every network goes to a CSV file here as soon as it is measured, and what is there is not measured
again. --draw 1 is another draw of rows and probes: how far the correlations are those of one
draw. The scatter plots go to results/. Both sets take three to four minutes of two free cores.
"""

import argparse
import time
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _images import IMAGES, images
from _intervals import partial_spearman, with_interval
from _networks import as_estimator, torch_start
from _progress import track

from skflat._parallel import run
from skflat.measures import effective_rank, hessian_trace, live_units, normalized_margin, weakness

HERE = Path(__file__).resolve().parent
SIZES, N_TRAIN, N_PROBES = (784, 64, 8, 10), 250, 100
RATE, BATCH, MAX_EPOCHS, CHECK_EVERY, FITTED = 0.1, 64, 500, 10, 0.9999
AT_ONCE = 10  # networks measured between two writes of the file

#: Published rank correlations with test accuracy, recomputed from the published results.
PUBLISHED = {
    "mnist": {"weakness (hidden)": 0.3744, "trace": -0.2257, "norm": 0.0194},
    "fashion_mnist": {"weakness (hidden)": 0.3836, "trace": -0.2406, "norm": -0.2263},
}
#: And partial ones, each with the other two held fixed.
PUBLISHED_PARTIAL = {
    "mnist": {"weakness (hidden)": 0.26, "trace": -0.47},
    "fashion_mnist": {"weakness (hidden)": 0.28, "trace": -0.29},
}
RIVALS = ["live units", "effective rank", "normalized margin"]
# The default of a fit has a few probes between training rows in place of unseen inputs.
WEAKNESS = ["weakness (hidden)", "weakness (logits)", "weakness (default)"]
MEASURES = [*WEAKNESS, "trace", "norm", *RIVALS]


# ------------------------------------------------------------------------------- networks


def rows_of(name, folder, draw=0):
    """Training rows, unseen probes and test rows; probes may be of either part of the data."""
    X, y, X_test, y_test = images(name, folder)
    train = np.random.default_rng(42 + draw).permutation(len(y))[:N_TRAIN]
    unseen = np.concatenate([np.delete(X, train, axis=0), X_test])
    probes = unseen[np.random.default_rng(99 + draw).permutation(len(unseen))[:N_PROBES]]
    return X[train], y[train], probes, X_test, y_test


def trained(X, y, seeds):
    """All networks at once, by plain stochastic gradient descent: a list of estimators.

    The networks are an axis of every array. The first layer's weights only ever move by
    combinations of training inputs, ``W = W_start + X' A``, so ``A`` is trained in their place:
    products with the 250 rows' Gram matrix instead of 784 pixels, and no first layer's gradient to
    multiply out.
    """
    rngs = [np.random.default_rng(seed) for seed in seeds]
    starts = [torch_start(SIZES, rng) for rng in rngs]
    W1, W2, W3 = (np.stack(arrays) for arrays in zip(*(W for W, _ in starts), strict=True))
    b1, b2, b3 = (np.stack(arrays)[:, None] for arrays in zip(*(b for _, b in starts), strict=True))
    gram, A = X @ X.T, np.zeros((len(seeds), len(X), SIZES[1]), X.dtype)
    state = {"A": A, "start": X @ W1, "W2": W2, "W3": W3, "b1": b1, "b2": b2, "b3": b3}
    left, done = np.arange(len(seeds)), {}
    for epoch in range(1, MAX_EPOCHS + 1):
        orders = np.stack([rngs[k].permutation(len(X)) for k in left])
        for first in range(0, len(X), BATCH):
            step(state, gram, y, orders[:, first : first + BATCH])
        if epoch % CHECK_EVERY:
            continue
        fits = (scores(state, gram) == y).mean(axis=1) >= FITTED
        for place in np.flatnonzero(fits | (epoch == MAX_EPOCHS)):
            done[left[place]] = epoch, {key: array[place] for key, array in state.items()}
        left, state = left[~fits], {key: array[~fits] for key, array in state.items()}
        if not len(left):
            break
    return [estimator_of(X, W1[k], *done[k]) for k in range(len(seeds))]


def forward(state, z):
    a1 = np.maximum(z + state["b1"], 0)
    a2 = np.maximum(a1 @ state["W2"] + state["b2"], 0)
    return a1, a2, a2 @ state["W3"] + state["b3"]


def scores(state, gram):
    """Classes that every network predicts of the training rows."""
    return forward(state, state["start"] + gram @ state["A"])[2].argmax(axis=2)


def step(state, gram, y, rows):
    """One step of every network, each on its own rows."""
    each = np.arange(len(rows))[:, None]
    a1, a2, F = forward(state, state["start"][each, rows] + gram[rows] @ state["A"])
    P = np.exp(F - F.max(axis=2, keepdims=True))
    P /= P.sum(axis=2, keepdims=True)
    P[each, np.arange(rows.shape[1]), y[rows]] -= 1
    d3 = P * np.float32(RATE / rows.shape[1])
    d2 = (d3 @ state["W3"].swapaxes(1, 2)) * (a2 > 0)
    d1 = (d2 @ state["W2"].swapaxes(1, 2)) * (a1 > 0)
    state["W3"] -= a2.swapaxes(1, 2) @ d3
    state["W2"] -= a1.swapaxes(1, 2) @ d2
    state["A"][each, rows] -= d1
    for name, delta in (("b1", d1), ("b2", d2), ("b3", d3)):
        state[name] -= delta.sum(axis=1, keepdims=True)


def estimator_of(X, W1, epochs, state):
    weights = [W1 + X.T @ state["A"], state["W2"], state["W3"]]
    network = as_estimator(weights, [state[name][0] for name in ("b1", "b2", "b3")])
    network.n_iter_ = epochs
    return network


# ------------------------------------------------------------------------------- measures


def measured(seed, network, X, y, probes, X_test, y_test):
    """One row of the table."""
    open_pairs = {
        f"weakness ({features})": weakness(
            network, X, y, X_probe=probes, features=features, target="labels"
        ).value
        for features in ("hidden", "logits")
    }
    arrays = network.coefs_ + network.intercepts_
    return {
        "seed": seed,
        "epochs": network.n_iter_,
        "train": network.score(X, y),
        "test": network.score(X_test, y_test),
        **open_pairs,
        "weakness (default)": weakness(network, X, y).value,
        "trace": hessian_trace(network, X, y).value,
        "norm": np.sqrt(sum(np.sum(array.astype(float) ** 2) for array in arrays)),
        "live units": live_units(network, X, y).value,
        "effective rank": effective_rank(network, X, y).value,
        "normalized margin": normalized_margin(network, X, y).value,
    }


def chosen(frame, name, args):
    """The networks of one set and one draw of rows."""
    of_set = (frame["data"] == name) & (frame["draw"] == args.draw)
    return frame[of_set & (frame["seed"] < args.networks)]


def measure_all(name, args):
    """Train and measure what the file does not hold yet."""
    path = Path(args.out)
    frame = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["data", "draw", "seed"])
    known = set(chosen(frame, name, args)["seed"])
    seeds = [seed for seed in range(args.networks) if seed not in known]
    if not seeds:
        return frame
    data = rows_of(name, args.data, args.draw)
    start = time.perf_counter()
    networks = trained(*data[:2], seeds)
    print(f"{name}: {len(seeds)} networks trained in {time.perf_counter() - start:.0f} s")
    parts = [range(k, min(k + AT_ONCE, len(seeds))) for k in range(0, len(seeds), AT_ONCE)]
    for part in track(parts, len(parts), f"{name}, measured by tens"):
        found = run(measured, [(seeds[k], networks[k], *data) for k in part], args.jobs)
        frame = pd.concat([frame, pd.DataFrame(found).assign(data=name, draw=args.draw)])
        frame.to_csv(path, index=False, float_format="%.8g")
    print(f"{name}: {time.perf_counter() - start:.0f} s in all")
    return frame


# ----------------------------------------------------------------------------- statistics


def lead(test, weak, trace, axis=-1):
    """By how much weakness correlates more strongly than the trace does."""
    first, second = (partial_spearman(test, each, axis=axis) for each in (weak, trace))
    return np.abs(first) - np.abs(second)


def as_text(value, low, high):
    return f"{value:+.3f} [{low:+.2f}, {high:+.2f}]"


def report(name, frame):
    test = frame["test"]
    print(
        f"\n{name}: {len(frame)} networks, test accuracy {test.mean():.4f} (sd {test.std():.4f}), "
        f"{(frame['train'] < FITTED).sum()} did not fit their rows"
    )
    others = ["weakness (hidden)", "trace", "norm"]
    rows = {}
    for key in MEASURES:
        fixed = [frame[each] for each in others if each != key and not {each, key} <= set(WEAKNESS)]
        rows[key] = {
            "mean": f"{frame[key].mean():.4g}",
            "Spearman": as_text(*with_interval(partial_spearman, [test, frame[key]])),
            "published": PUBLISHED[name].get(key, ""),
            "partial": as_text(*with_interval(partial_spearman, [test, frame[key], *fixed])),
            "published partial": PUBLISHED_PARTIAL[name].get(key, ""),
        }
    print(pd.DataFrame(rows).T.to_string())
    print("partial: the others of weakness (hidden), trace and norm held fixed")
    alike = (frame["weakness (hidden)"] == frame["weakness (logits)"]).sum()
    print(f"The same weakness on hidden layer and logits: {alike} networks of {len(frame)}")
    agreement = with_interval(partial_spearman, [frame[key] for key in WEAKNESS[::2]])
    print(f"weakness (default) with weakness (hidden): {as_text(*agreement)}")
    for key in WEAKNESS[::2]:
        gap = with_interval(lead, [test, frame[key], frame["trace"]])
        print(f"|{key}| - |trace|: {as_text(*gap)}")
        for k in range(1, len(RIVALS) + 1):
            fixed = RIVALS[:k]
            held = with_interval(partial_spearman, [test, frame[key], *(frame[f] for f in fixed)])
            print(f"{key} with {', '.join(fixed)} held fixed: {as_text(*held)}")
    for key in RIVALS:
        fixed = ["weakness (hidden)", *(each for each in RIVALS if each != key)]
        held = with_interval(partial_spearman, [test, frame[key], *(frame[f] for f in fixed)])
        print(f"{key} with weakness (hidden) and the other rivals held fixed: {as_text(*held)}")


def draw(parts):
    size = (3 * len(MEASURES), 3.2 * len(parts))
    fig, axes = plt.subplots(len(parts), len(MEASURES), figsize=size, squeeze=False)
    for row, (name, part) in zip(axes, parts.items(), strict=True):
        for ax, key in zip(row, MEASURES, strict=True):
            ax.scatter(part[key], part["test"], s=8)
            ax.set_title(f"{name}: {partial_spearman(part['test'], part[key]):+.2f}", fontsize=9)
            ax.set_xlabel(key)
            ax.grid(alpha=0.3)
        row[0].set_ylabel("test accuracy")
    fig.tight_layout()
    picture = HERE.parent / "results" / "weakness_model_selection.png"
    picture.parent.mkdir(exist_ok=True)
    fig.savefig(picture, dpi=120)
    print(f"\nPicture: results/{picture.name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="folder with the .npz files; else OpenML")
    parser.add_argument("--sets", nargs="+", default=list(IMAGES), choices=list(IMAGES))
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--draw", type=int, default=0, help="of training rows and probes")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", default=str(HERE / "weakness_model_selection.csv"))
    args = parser.parse_args()
    for name in args.sets:
        frame = measure_all(name, args)
    for name in args.sets:
        with warnings.catch_warnings():
            # A resample without variation has no correlation.
            warnings.filterwarnings("ignore", category=RuntimeWarning)
            report(name, chosen(frame, name, args))
    draw({name: chosen(frame, name, args) for name in args.sets})


if __name__ == "__main__":
    main()

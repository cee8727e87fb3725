"""Where the advantage of small batches goes: small against large ones, as the training rows grow.

python benchmarks/vanishing_advantage.py [--data DIR] [--rows 500 2000 6000 12000] [--jobs 2]

After Bennett (arXiv:2605.05209): networks 784-256-128-10 learn MNIST by plain gradient descent, 25
of them in batches of 64 and 25 in batches as large as the rows (at most 4,096) at a greater rate,
from different starts. Test accuracy and the exact trace of the Hessian stand next to the published
figures (traces there were estimated), with the rank correlation of the two over all networks.
Then some of the networks are rescaled, which keeps their predictions and weakness and changes
the trace at will. --rows 24000 60000 adds the two largest scales, hours of work.

Rows, starts and batches are drawn by the published laws, but not with its generator. Accuracy is
looked at every tenth epoch, as in the smaller experiment of the publication.

Every network goes to a CSV file here as soon as it is trained, the rescaled ones to a second, and
what is there is not trained again. The scatter plots go to results/.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _images import images
from _intervals import partial_spearman, with_interval
from _networks import as_estimator, torch_start
from _progress import track

from skflat._parallel import run
from skflat.measures import hessian_trace, weakness
from skflat.models.mlp import MLP
from skflat.objective import Multinomial, Objective
from skflat.solvers import SGD, Settings, minimize
from skflat.symmetry import rescale

HERE = Path(__file__).resolve().parent
SIZES, N_EACH = (784, 256, 128, 10), 25
CHECK_EVERY, N_CHECKED, N_TRACED, N_WEAK = 10, 10_000, 2048, 250


class Scale(NamedTuple):
    """How networks are trained on so many rows, and what was published of them."""

    small_rate: float
    large_batch: int
    large_rate: float
    max_epochs: int
    drop: bool  # the rate to a tenth after four fifths of the epochs
    accuracy: tuple  # of small and of large batches
    trace: tuple


SCALES = {
    500: Scale(0.05, 500, 0.5, 500, False, (0.8530, 0.8651), (52.5, 20.6)),
    2_000: Scale(0.03, 2000, 0.5, 500, False, (0.9043, 0.9200), (59.5, 23.1)),
    6_000: Scale(0.01, 4096, 0.5, 500, False, (0.9396, 0.9494), (61.9, 25.9)),
    12_000: Scale(0.01, 4096, 0.5, 500, True, (0.9595, 0.9647), (44.8, 23.9)),
    24_000: Scale(0.01, 4096, 0.3, 500, True, (0.9700, 0.9708), (39.1, 38.2)),
    60_000: Scale(0.01, 4096, 0.3, 600, True, (0.9802, 0.9804), (30.1, 26.0)),
}
#: Rank correlation of trace and test accuracy over all networks.
PUBLISHED_RHO = {500: -0.75, 2_000: -0.82, 6_000: -0.78, 12_000: -0.84, 24_000: 0.01, 60_000: 0.05}
#: Greatest ratio of the traces after and before a rescaling of the first or of the second layer.
PUBLISHED_INFLATION = {
    500: (112.6, 117.4),
    2_000: (97.3, 70.2),
    12_000: (75.3, 39.3),
    60_000: (70.2, 17.5),
}
RESCALINGS = [(0, factor) for factor in (1, 2, 5, 10, 20)] + [(1, factor) for factor in (5, 20)]
RESCALED = (0, 5, 25, 30)  # places in the list of networks: two of small batches, two of large


# ------------------------------------------------------------------------------- networks


def rows_of(n_rows, X, y, X_test, y_test):
    """Training rows drawn once a scale, and the test rows."""
    rows = np.random.default_rng(42).permutation(len(y))[:n_rows]
    return X[rows], y[rows], X_test, y_test


def accuracy(objective, w):
    return float(np.mean(objective.scores(w).argmax(axis=1) == objective.data.y))


def train(n_rows, large, seed, X, y):
    """The flat vector of a network, and its epochs."""
    scale, model = SCALES[n_rows], MLP(SIZES)
    objective = Objective(model, Multinomial(), X, y)
    # At the larger scales the rule is to fit every row.
    checked = objective if scale.drop else Objective(model, Multinomial(), *_first(X, y))
    w = model.join(*torch_start(SIZES, np.random.default_rng(seed)))
    rate = scale.large_rate if large else scale.small_rate
    for epoch in range(0, scale.max_epochs, CHECK_EVERY):
        late = scale.drop and epoch >= 0.8 * scale.max_epochs
        settings = Settings(
            learning_rate_init=rate / 10 if late else rate,
            batch_size=min(scale.large_batch, n_rows) if large else 64,
            momentum=0.0,
            nesterovs_momentum=False,
            n_iter_no_change=np.inf,
        )
        turn = 1000 * seed + epoch
        w, _ = minimize(SGD(), objective, w, settings, random_state=turn, max_epochs=CHECK_EVERY)
        if accuracy(checked, w) >= (1.0 if scale.drop else 0.9999):
            break
    return w, epoch + CHECK_EVERY


def _first(X, y):
    return X[:N_CHECKED], y[:N_CHECKED]


def network_row(n_rows, place, X, y, X_test, y_test):
    """Train and measure one network: its row, and those of its rescalings."""
    large = place >= N_EACH
    seed = 100 + place - N_EACH if large else place
    start = time.perf_counter()
    w, epochs = train(n_rows, large, seed, X, y)
    seconds = time.perf_counter() - start
    network = as_estimator(*MLP(SIZES).split(w))
    traced = np.random.default_rng(0).permutation(n_rows)[:N_TRACED]
    trace = hessian_trace(network, X[traced], y[traced]).value
    row = {
        "rows": n_rows,
        "place": place,
        "batches": "large" if large else "small",
        "seed": seed,
        "epochs": epochs,
        "seconds": seconds,
        "train": network.score(X, y),
        "test": network.score(X_test, y_test),
        "trace": trace,
    }
    if place not in RESCALED:
        return row, []
    return row, rescaled_rows(row, network, X[traced], y[traced], X_test)


def rescaled_rows(row, network, X, y, X_test):
    """Traces, weaknesses and predictions of the network's rescalings."""
    before, few = network.predict_proba(X_test), slice(N_WEAK)
    rows = []
    for layer, factor in RESCALINGS:
        moved = rescale(network, [factor if layer == k else 1.0 for k in (0, 1)])
        rows.append(
            {
                "rows": row["rows"],
                "place": row["place"],
                "layer": layer + 1,
                "factor": factor,
                "trace": hessian_trace(moved, X, y).value,
                "weakness": weakness(moved, X[few], y[few], X_probe=X_test[:10]).value,
                "change of probabilities": np.abs(moved.predict_proba(X_test) - before).max(),
            }
        )
    return rows


def train_all(args):
    """What the files hold, and what they do not hold yet."""
    paths = [Path(args.out), Path(args.out).with_suffix(".rescaled.csv")]
    frames = [pd.read_csv(path) if path.exists() else pd.DataFrame() for path in paths]
    known = set(zip(frames[0].get("rows", []), frames[0].get("place", []), strict=True))
    places = [k + batch * N_EACH for k in range(args.networks) for batch in (0, 1)]
    wanted = [(n_rows, place) for n_rows in args.rows for place in places]
    mnist = images("mnist", args.data)
    data = {n_rows: rows_of(n_rows, *mnist) for n_rows in args.rows}
    tasks = [(*each, *data[each[0]]) for each in wanted if each not in known]
    # As many at a time as there are workers, so that little is lost when one stops.
    parts = [tasks[k : k + args.jobs] for k in range(0, len(tasks), args.jobs)]
    for part in track(parts, len(parts), "networks trained"):
        found = run(network_row, part, args.jobs)
        new = [[row for row, _ in found], [row for _, rows in found for row in rows]]
        frames = [pd.concat([f, pd.DataFrame(rows)]) for f, rows in zip(frames, new, strict=True)]
        for frame, path in zip(frames, paths, strict=True):
            if len(frame):
                frame.to_csv(path, index=False, float_format="%.8g")
    return frames


# --------------------------------------------------------------------------------- output


def gain(large, small, axis=-1):
    """By how much large batches are better."""
    return large.mean(axis=axis) - small.mean(axis=axis)


def print_scales(frame):
    print(
        f"\n{'rows':>6}{'networks':>9}{'test: small':>13}{'large':>8}{'gain, %':>22}{'publ.':>7}"
        f"{'trace: small':>14}{'large':>7}{'published':>13}{'rank correlation':>21}{'publ.':>7}"
    )
    for n_rows, part in frame.groupby("rows"):
        small, large = (part[part["batches"] == name] for name in ("small", "large"))
        scale = SCALES[n_rows]
        more = with_interval(gain, [100 * large["test"], 100 * small["test"]], paired=False)
        rho = with_interval(partial_spearman, [part["trace"], part["test"]])
        print(
            f"{n_rows:>6}{len(part):>9}{small['test'].mean():>13.4f}{large['test'].mean():>8.4f}"
            f"{'{:+.2f} [{:+.2f}, {:+.2f}]'.format(*more):>22}"
            f"{100 * (scale.accuracy[1] - scale.accuracy[0]):>+7.2f}"
            f"{small['trace'].mean():>14.1f}{large['trace'].mean():>7.1f}"
            f"{'{:.1f}, {:.1f}'.format(*scale.trace):>13}"
            f"{'{:+.2f} [{:+.2f}, {:+.2f}]'.format(*rho):>21}{PUBLISHED_RHO[n_rows]:>+7.2f}"
        )
    print(
        "Mean test accuracies, the gain of large batches, mean exact traces, and Spearman's\n"
        "correlation of trace and accuracy over all networks; 95 % bootstrap intervals."
    )
    unfit = frame[frame["train"] < 0.9999].groupby(["rows", "batches"]).size()
    if len(unfit):
        print(f"Networks that do not fit their rows: {unfit.to_dict()}")


def print_rescalings(frame):
    before = frame[(frame["layer"] == 1) & (frame["factor"] == 1)].set_index(["rows", "place"])
    keys = pd.MultiIndex.from_frame(frame[["rows", "place"]])
    frame = frame.assign(
        inflation=frame["trace"].to_numpy() / before.loc[keys, "trace"].to_numpy(),
        moved=np.abs(frame["weakness"].to_numpy() - before.loc[keys, "weakness"].to_numpy()),
    )
    print("\nThe trace after a rescaling, over that before: the mean of the networks")
    print(frame.pivot_table(index="rows", columns=["layer", "factor"], values="inflation").round(1))
    for n_rows, part in frame.groupby("rows"):
        most = part.groupby("layer")["inflation"].max()
        theirs = "{} and {}".format(*PUBLISHED_INFLATION.get(n_rows, ("unknown", "unknown")))
        print(
            f"{n_rows} rows: at most {most[1]:.1f} x by the first layer and {most[2]:.1f} x by the "
            f"second (published: {theirs})"
        )
    print(
        f"Weakness changed by at most {frame['moved'].max():g}, probabilities by "
        f"{frame['change of probabilities'].max():.1e}."
    )


def draw(frame):
    """Test accuracy against the trace, one axes a scale."""
    scales = frame["rows"].unique()
    size = (3.2 * len(scales), 3.2)
    fig, axes = plt.subplots(1, len(scales), figsize=size, squeeze=False)
    for ax, n_rows in zip(axes[0], scales, strict=True):
        for batches, part in frame[frame["rows"] == n_rows].groupby("batches"):
            ax.scatter(part["trace"], part["test"], s=8, label=f"{batches} batches")
        ax.set_title(f"{n_rows} rows", fontsize=9)
        ax.set_xlabel("trace")
        ax.grid(alpha=0.3)
    axes[0, 0].set_ylabel("test accuracy")
    axes[0, 0].legend(fontsize=8)
    fig.tight_layout()
    picture = HERE.parent / "results" / "vanishing_advantage.png"
    picture.parent.mkdir(exist_ok=True)
    fig.savefig(picture, dpi=120)
    print(f"\nPicture: results/{picture.name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="folder with mnist.npz; else from OpenML")
    parser.add_argument("--rows", nargs="+", type=int, default=list(SCALES)[:4], choices=SCALES)
    parser.add_argument("--networks", type=int, default=N_EACH, help="of each kind")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", default=str(HERE / "vanishing_advantage.csv"))
    args = parser.parse_args()
    networks, rescaled = train_all(args)
    networks = networks[networks["rows"].isin(args.rows)]
    print_scales(networks)
    if len(rescaled):
        print_rescalings(rescaled[rescaled["rows"].isin(args.rows)])
    draw(networks)


if __name__ == "__main__":
    main()

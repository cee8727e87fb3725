"""Which is flatter, a typical solution or one of the largest margin?

    python benchmarks/wide_minima/margin.py [--loads 0.3 0.5 0.7] [--n 1001] [--seeds 5]

A perceptron with weights in {-1, +1} stores random patterns. By theory, in the limit of many
weights: how many solutions have a margin, from none to the largest, the local energy of a typical
one of these (expected share of wrong rows when some weights are flipped), and the local entropy
around it (log-number of solutions, of any margin, at a distance). At finite size the same of what
reinforced message passing finds when it is asked for a margin, at the second of the loads. Smaller
energies and larger entropies are flatter.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file

import matplotlib.pyplot as plt
import numpy as np
from _rows import complete, print_markdown, save_picture
from sklearn.exceptions import ConvergenceWarning

from skflat import FlatPerceptronClassifier
from skflat.datasets import make_perceptron_storage
from skflat.measures import flip_energy, local_entropy, margins
from skflat.theory import (
    franz_parisi,
    hamming_entropy,
    max_margin,
    typical_local_energy,
    typical_solutions,
)

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the largest margin
ASKED = (0.0, 0.25, 0.5, 0.6, 0.7, 1.0)  # of an algorithm
DISTANCES = (0.01, 0.02, 0.05, 0.1)
FINE = np.geomspace(0.004, 0.3, 30)
COLUMNS = ["n", "load", "share", "seed"]
QUANTITIES = [f"{letter}({d:g})" for letter in "ES" for d in DISTANCES]
VALUES = ["margin", "n_violated", "least stability", *QUANTITIES]


def theory(load, share):
    """Margin, entropy of the solutions that have it, energies and local entropies."""
    margin = share * max_margin(load)
    energies = typical_local_energy(DISTANCES, load, margin=margin)
    entropies = franz_parisi(load, DISTANCES, reference_margin=margin).entropy
    # Of the largest margin there are just none left: what is less than 0 is rounding.
    return [margin, max(typical_solutions(load, margin).entropy, 0.0), *energies, *entropies]


def found(n, load, share, seed):
    """What message passing finds that is asked for a margin; a list of one row."""
    X, y = make_perceptron_storage(n, load, dtype=np.float32, random_state=seed)
    clf = FlatPerceptronClassifier(
        solver="amp",
        margin=share * max_margin(load),
        scale=False,
        fit_intercept=False,
        measures=None,
        random_state=seed,
    )
    row = dict(zip(COLUMNS, (n, load, share, seed), strict=True)) | {"margin": clf.margin}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the count says as much
        clf.fit(X, y)
    row["n_violated"] = clf.n_violated_[0]
    if clf.n_violated_[0]:
        return [row | dict.fromkeys(["least stability", *QUANTITIES], np.nan)]
    row["least stability"] = margins(clf, X, y, normalization=None).samples.min()
    clf.set_params(margin=0.0)  # count solutions of any margin
    energies = flip_energy(clf, X, y, distance=DISTANCES).table["error"]
    entropies = local_entropy(clf, X, y, distance=DISTANCES, method="bethe").table["entropy"]
    return [row | dict(zip(QUANTITIES, [*energies, *entropies], strict=True))]


def show_theory(loads):
    rows = [
        [f"{load:g}, {share:g} of the largest", *(f"{value:.4f}" for value in theory(load, share))]
        for load in loads
        for share in SHARES
    ]
    print_markdown(["theory: load, margin", "margin", "entropy", *QUANTITIES], rows)


def show_found(frame):
    rows = []
    for share, part in frame.groupby("share"):
        solved = part[part["n_violated"] == 0]
        cells = [f"{solved[key].mean():.4f}" for key in ("least stability", *QUANTITIES)]
        rows.append(
            [
                f"{share:g} of the largest",
                f"{part['margin'].iloc[0]:.4f}",
                f"{len(solved)}/{len(part)}",
                *(cells if len(solved) else ["-"] * len(cells)),
            ]
        )
    heads = ["found: margin asked for", "margin", "found", "least stability", *QUANTITIES]
    print_markdown(heads, rows)


def draw(frame, load):
    fig, axes = plt.subplots(1, 3, figsize=(15, 4.8), layout="constrained")
    colors = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(SHARES)))
    for share, color in zip(SHARES, colors, strict=True):
        margin = share * max_margin(load)
        label = f"margin {margin:.2f}" + {0: ", typical", 1: ", the largest"}.get(share, "")
        axes[0].plot(
            FINE, typical_local_energy(FINE, load, margin=margin), color=color, label=label
        )
        # What is missing from the whole shell: lines where entropies would all touch.
        entropy = franz_parisi(load, FINE, reference_margin=margin).entropy
        axes[1].loglog(FINE, hamming_entropy(FINE) - entropy, color=color)
    axes[0].set(title="local energy (theory)", xlabel="share of weights flipped")
    axes[1].set(title="entropy of the shell less local entropy (theory)", xlabel="distance")
    axes[0].legend()
    shares = np.linspace(0, 1, 21)
    asked = shares * max_margin(load)
    for d, color in zip((0.02, 0.05), ("C0", "C1"), strict=True):
        energies = [typical_local_energy(d, load, margin=margin) for margin in asked]
        axes[2].plot(asked, energies, color=color, label=f"typical of the margin, d = {d}")
        solved = frame[frame["n_violated"] == 0]
        axes[2].plot(solved["margin"], solved[f"E({d})"], "o", color=color, alpha=0.6)
    axes[2].plot([], [], "o", color="0.5", label="found by message passing")
    axes[2].set(title="local energy", xlabel="margin asked for", ylim=(0, None))
    axes[2].legend()
    for ax in axes:
        ax.grid(alpha=0.3)
    save_picture(fig, "margin")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loads", type=float, nargs="+", default=[0.3, 0.5, 0.7])
    parser.add_argument("--n", type=int, default=1001)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    show_theory(args.loads)
    load = args.loads[min(1, len(args.loads) - 1)]
    tasks = [(args.n, load, share, seed) for share in ASKED for seed in range(args.seeds)]
    frame = complete(args.out, COLUMNS, VALUES, found, tasks, args.jobs)
    show_found(frame)
    draw(frame, load)


if __name__ == "__main__":
    main()

"""What predicts generalisation among all solutions: margin, local entropy or local energy?

    python benchmarks/wide_minima/decisive.py [--sizes 15 17 19 21] [--loads 0.5 0.7] [--seeds 60]

A teacher with weights in {-1, +1} labels random patterns of signs, so few that all solutions can be
listed, the teacher among them. Each solution gets its exact accuracy on all 2^n patterns and, with
the sign by which greater is flatter,

* the margin, the least stability of a row; as all weights and all rows have the same length it is
  the geometric margin as well; normalised, over the root mean square of the stabilities; and the
  mean of the stabilities;
* the local energy: the share of rows that go wrong when r weights are flipped, on average, exactly;
* the local entropy: how many solutions differ in at most r weights;
* the pair count: labels that these solutions give to random probes, after Bennett
  (arXiv:2605.05209).

Spearman's correlation with the accuracy is taken over the solutions of one instance, and again
with the margin, or the local entropy, held fixed (partial correlation of the ranks). The table has
the means over the instances with intervals of 95 % from drawing instances with replacement. A
measure that is the same for all solutions of an instance counts as 0, for it predicts nothing.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file

import matplotlib.pyplot as plt
import numpy as np
from _rows import complete, print_markdown, save_picture
from scipy.stats import binom, hypergeom, rankdata

from skflat.datasets import make_teacher_student
from skflat.theory import enumerate_solutions

RADII = 1, 2, 4
CONTROLLED = "local entropy, r = 2"
N_PROBES, FEWEST, CHUNK = 200, 10, 1024
NAMES = ["margin", "normalised margin", "mean stability"] + [
    f"{name}, r = {r}" for name in ("local energy", "local entropy", "pair count") for r in RADII
]
COLUMNS = ["n", "load", "seed"]
CORRELATIONS = ["rho", "given_margin", "given_entropy"]
VALUES = ["solutions", "measure", "smallest", *CORRELATIONS]


# --------------------------------------------------------------------------- one instance


def accuracies(n):
    """By the number of weights that differ from the teacher's: exactly, for odd ``n``.

    The sums over the weights that agree and over the others have different parities, so they are
    never equal; the signs differ where the second is larger in absolute value. Odd numbers of
    differences do as well as the next even one, so the overlap ranks solutions more finely.
    """
    found = []
    for k in range(n + 1):
        same, other = ([abs(2 * j - m) for j in range(m + 1)] for m in (n - k, k))
        p_same, p_other = (binom.pmf(range(m + 1), m, 0.5) for m in (n - k, k))
        found.append(p_same @ np.greater.outer(same, other) @ p_other)
    return np.round(found, 12)  # what is equal on paper has the same rank


def flip_errors(n, n_flips):
    """Probability that a row is wrong after some flips, by how many weights agree with it."""
    agree = np.arange(n + 1)
    # Flipping j of those that agree and n_flips - j others moves the field by 2 n_flips - 4 j.
    most = np.floor((2 * agree - n + 2 * n_flips) / 4)
    return hypergeom.sf(most, n, agree, n_flips)


def measures(X, y, solutions, rng):
    """Columns by the order of ``NAMES``, greater is flatter."""
    n, W = X.shape[1], solutions.weights.astype(np.float32)
    fields = W @ (X * y[:, None]).T.astype(np.float32)
    least, agree = fields.min(axis=1), ((fields + n) / 2).astype(int)
    energies = [-flip_errors(n, r)[agree].mean(axis=1) for r in RADII]
    entropies = np.cumsum(solutions.n_at_distance(), axis=1)[:, RADII].T
    probes = rng.choice(np.float32([-1, 1]), (n, N_PROBES))
    pairs = pair_counts(W, W @ probes > 0).T
    rms = np.sqrt(np.mean(fields**2, axis=1))
    return np.array([least, least / rms, fields.mean(axis=1), *energies, *entropies, *pairs])


def pair_counts(W, positive):
    """Labels of all probes among the solutions near each one, a column a radius."""
    n_solutions, n = W.shape
    counts = np.empty((n_solutions, len(RADII)))
    positive = positive.astype(np.float32)
    for start in range(0, n_solutions, CHUNK):
        rows = slice(start, start + CHUNK)
        overlap = W[rows] @ W.T
        for k, r in enumerate(RADII):
            near = (overlap >= n - 2 * r).astype(np.float32)
            votes, voters = near @ positive, near.sum(axis=1, keepdims=True)
            counts[rows, k] = N_PROBES + np.sum((votes > 0) & (votes < voters), axis=1)
    return counts


def ranks(values):
    """Centred, of length 1; zeros where all are equal."""
    centred = rankdata(values) - (len(values) + 1) / 2
    return centred / max(np.linalg.norm(centred), 1e-12)


def partial(a, b, control):
    """Correlation of ranks with those of a third held fixed; NaN where nothing is left."""
    a, b = a - (a @ control) * control, b - (b @ control) * control
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return a @ b / length if length > 1e-9 else np.nan


def one_instance(n, load, seed):
    """A row a measure."""
    drawn = np.random.RandomState([n, round(1000 * load), seed])
    X, y, teacher = make_teacher_student(n, load, random_state=drawn)
    solutions = enumerate_solutions(X, y)
    instance = {"n": n, "load": load, "seed": seed, "solutions": len(solutions)}
    rows = [instance | {"measure": name} for name in NAMES]
    if len(solutions) < FEWEST:
        return [row | dict.fromkeys(["smallest", *CORRELATIONS], np.nan) for row in rows]
    differ = ((n - solutions.weights @ teacher) / 2).astype(int)
    accuracy = ranks(accuracies(n)[differ])
    values = measures(X, y, solutions, np.random.default_rng(seed))
    smallest, table = np.mean(values[0] == 1), [ranks(each) for each in values]
    margin, entropy = table[0], table[NAMES.index(CONTROLLED)]
    for row, each in zip(rows, table, strict=True):
        row["smallest"] = smallest
        held = partial(each, accuracy, margin), partial(each, accuracy, entropy)
        row.update(zip(CORRELATIONS, (each @ accuracy, *held), strict=True))
        if not each.any():  # predicts nothing, whatever is held fixed
            row.update(dict.fromkeys(CORRELATIONS, 0.0))
    for name, k in (("given_margin", 0), ("given_entropy", NAMES.index(CONTROLLED))):
        rows[k][name] = np.nan  # with itself held fixed
    return rows


# --------------------------------------------------------------------------- all of them


def interval(values, n_draws=4000):
    """Mean, and 2.5 and 97.5 % of the means of instances drawn with replacement."""
    values = np.asarray(values)[~np.isnan(values)]
    if len(values) < 2:
        return np.full(3, np.nan)
    means = np.random.default_rng(0).choice(values, (n_draws, len(values))).mean(axis=1)
    return np.array([values.mean(), *np.percentile(means, [2.5, 97.5])])


def cell(values):
    mean, low, high = interval(values)
    return "" if np.isnan(mean) else f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def show(frame):
    for load, part in frame.groupby("load"):
        instances = part.drop_duplicates(COLUMNS)
        solutions = instances["solutions"]
        print(
            f"load {load}: {(solutions >= FEWEST).sum()} of {len(solutions)} instances have "
            f"{FEWEST} solutions or more; median {solutions.median():g}; "
            f"{instances['smallest'].mean():.1%} of them have the smallest margin there is"
        )
        heads = [f"load {load}", "Spearman's rho", "margin held fixed", "local entropy held fixed"]
        groups = part.groupby("measure", sort=False)
        print_markdown(
            heads, [[name, *(cell(group[key]) for key in CORRELATIONS)] for name, group in groups]
        )
    table = frame.pivot_table(index="measure", columns=["load", "n"], values="rho", sort=False)
    print("Spearman's rho by load and number of weights\n", table.round(3).to_string(), "\n")


def draw(frame):
    loads = sorted(frame["load"].unique())
    fig, axes = plt.subplots(1, 3, figsize=(14, 4.8), sharey=True, layout="constrained")
    titles = (
        "correlation with the accuracy",
        "margin held fixed",
        "local entropy (r = 2) held fixed",
    )
    places = np.arange(len(NAMES))[::-1]
    for ax, key, title in zip(axes, CORRELATIONS, titles, strict=True):
        for k, load in enumerate(loads):
            groups = frame[frame["load"] == load].groupby("measure")[key]
            mean, low, high = np.array([interval(groups.get_group(name)) for name in NAMES]).T
            ax.errorbar(
                mean,
                places + 0.15 * k,
                xerr=[mean - low, high - mean],
                fmt="o",
                label=f"load {load}",
            )
        ax.axvline(0, color="0.6", linewidth=1)
        ax.set_xlabel("Spearman's rho")
        ax.set_title(title)
    axes[0].set_yticks(places, NAMES)
    axes[0].legend()
    save_picture(fig, "decisive")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[15, 17, 19, 21])
    parser.add_argument("--loads", type=float, nargs="+", default=[0.5, 0.7])
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    tasks = [(n, a, seed) for n in args.sizes for a in args.loads for seed in range(args.seeds)]
    frame = complete(args.out, COLUMNS, VALUES, one_instance, tasks, args.jobs)
    show(frame)
    draw(frame)


if __name__ == "__main__":
    main()

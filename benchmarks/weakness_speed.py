"""Decisions on (probe, class) pairs against linear programs: time on one core, and disagreements.

python benchmarks/weakness_speed.py [--data DIR] [--networks 20] [--programs 25] [--features hidden]

Networks 784-64-8-10 (of digits 64-32-8-10) that fit 250 rows, 100 unseen probes each: 1,000 pairs
a network. ``--programs`` is how many of these linprog is asked for, 1000 for all (at about 50 ms
each). The program is the published one: any (W, b) with a margin of 1e-4. Where the two disagree,
the proof of ours is checked in rational arithmetic.
"""

import argparse
import time

import numpy as np
from _small_networks import add_image_argument, images, trained
from _timing import print_ratio
from scipy.optimize import linprog
from threadpoolctl import threadpool_limits

from skflat.measures import open_pairs
from skflat.objective import HiddenLayer
from skflat.problems import as_problem

N_PROBES, N_CLASSES, MARGIN = 100, 10, 1e-4


def features_of(clf, X, y, probes, kind):
    """Hidden layer or centred logits on rows and probes, live columns of size 1, and labels."""
    task = as_problem(clf, X, y)
    scores = [task.objective.scores(task.w, inputs) for inputs in (X, probes)]
    if kind == "hidden":
        hidden = task.objective.capability(HiddenLayer)
        pair = [hidden.features(task.w, inputs) for inputs in (X, probes)]
    else:
        pair = [(F - F.mean(axis=1, keepdims=True))[:, :-1] for F in scores]
    scale = np.abs(pair[0]).max(axis=0)
    rows, at_probes = (F[:, scale > 0] / scale[scale > 0] for F in pair)
    return rows, scores[0].argmax(axis=1), at_probes


def inequalities(rows, labels):
    """Coefficients in (W, b) of every ``score of the label > score of another class``."""
    rows = np.column_stack([rows, np.ones(len(rows))])
    gaps = np.eye(N_CLASSES)[labels][:, None] - np.eye(N_CLASSES)
    others = np.arange(N_CLASSES) != np.asarray(labels)[:, None]
    return np.einsum("nck,nd->nckd", gaps, rows)[others].reshape(-1, N_CLASSES * rows.shape[1])


def by_program(constraints, probe, outcome):
    """Whether there is a map; None where HiGHS gives up."""
    A = np.vstack([constraints, inequalities(probe[None], [outcome])])
    goal, bounds = np.zeros(A.shape[1]), (None, None)
    found = linprog(goal, -A, np.full(len(A), -MARGIN), bounds=bounds, method="highs")
    return {0: True, 2: False}.get(found.status)


def compare(clf, X, y, probes, args, seed):
    """Processor seconds a pair of both, how many HiGHS answered, and the disagreements."""
    rows, labels, at_probes = features_of(clf, X, y, probes, args.features)
    start = time.process_time()
    pairs = open_pairs(rows, labels, at_probes, N_CLASSES)
    ours = (time.process_time() - start) / pairs.is_open.size
    asked = np.random.default_rng(seed).permutation(pairs.is_open.size)[: args.programs]
    constraints = inequalities(rows, labels)
    start = time.process_time()
    places = list(zip(*np.unravel_index(asked, pairs.is_open.shape), strict=True))
    answers = [by_program(constraints, at_probes[p], c) for p, c in places]
    theirs = (time.process_time() - start) / len(asked)
    answered = [each for each in zip(places, answers, strict=True) if each[1] is not None]
    differ = [pair for pair, answer in answered if answer != pairs.is_open[pair]]
    unproven = [pair for pair in differ if not pairs.proves(*pair, exactly=True)]
    certified = all(pairs.proves(*pair) for pair in np.ndindex(pairs.is_open.shape))
    return ours, theirs, len(answered), len(differ), len(unproven), pairs.is_open.sum(), certified


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_image_argument(parser)
    parser.add_argument("--networks", type=int, default=20)
    parser.add_argument("--programs", type=int, default=25)
    parser.add_argument("--features", choices=("hidden", "logits"), default="hidden")
    args = parser.parse_args()
    (X, y), (unseen, _), sizes = images(args.data)
    print(f"{'seed':>4} {'open':>5} {'ms a pair':>10} {'linprog':>8} {'answered':>9} {'differ':>7}")
    found = []
    with threadpool_limits(1):
        for seed in range(args.networks):
            clf = trained(X, y, sizes, seed)
            found.append(compare(clf, X, y, unseen[:N_PROBES], args, seed))
            ours, theirs, answered, differ, _, n_open, certified = found[-1]
            print(
                f"{seed:4} {n_open:5} {1e3 * ours:10.3f} {1e3 * theirs:8.1f} {answered:9} "
                f"{differ:7}{'' if certified else '   NOT CERTIFIED'}",
                flush=True,
            )
    ours, theirs, answered, differ, unproven, _, certified = np.array(found).T
    print(
        f"\n{answered.sum():.0f} pairs compared, {differ.sum():.0f} differ, of these "
        f"{unproven.sum():.0f} without a rational proof of ours; all 1,000 decisions of "
        f"{certified.sum():.0f} networks certified"
    )
    print_ratio("a decision / a linear program, one core", ours.mean(), theirs.mean(), 1 / 25)


if __name__ == "__main__":
    main()

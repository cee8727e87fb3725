"""Weakness against description length: which of two correct rules goes on being right?

    python examples/plot_weakness_and_length.py [--trials 128]

Binary arithmetic after Bennett (arXiv:2301.12987): strings of eight bits, two operands of two bits
and their sum or product in four. One bit of the string is to be told from the other seven. Some of
the 16 right strings are known. A rule says that strings of some pattern are wrong; a policy is
a set of rules that excludes the known strings with the bit turned and none of the known strings
themselves. Two policies are chosen from the same rules:

* the weakest: it excludes fewest of the 256 strings;
* the shortest: its patterns fix fewest bits.

Both are then asked for all 16 strings. In the published count a policy generalises if it excludes
none of the right ones, whatever else it leaves open; a second count asks that it exclude their
counterparts with the bit turned too, so that the bit is really told.

The rules are those of one formula that excludes all strings but the known ones, as in the
publication, or all that cannot be shortened (prime implicates). Differences from the publication:
the formula is found greedily, not by a library's simplification; both policies are found
exactly, where the original searches best first within a depth, and its search for short
policies puts back the wrong item, which makes that baseline worse. In 128 trials the rates of the
weakest policy of one formula came out near the published ones, but for the sums of 14 known
strings, and those of the shortest no lower.

Prints a table next to the published one and saves a picture in results/.
"""

import argparse
from heapq import heappop, heappush
from itertools import count, product
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file, with or without a screen

import matplotlib.pyplot as plt
import numpy as np

from skflat.vocabularies import Vocabulary

PICTURE = Path(__file__).resolve().parents[1] / "results" / "plot_weakness_and_length.png"
N_BITS, SIZES = 8, (4, 6, 8, 10, 12, 14)
STRINGS = (np.arange(1 << N_BITS)[:, None] >> np.arange(N_BITS)) & 1  # little-endian

NAMES = ("weakest", "shortest")
OPERATIONS = {"addition": lambda a, b: a + b, "multiplication": lambda a, b: a * b}

#: Share of trials in which weakest and shortest generalise, by the number of known strings.
PUBLISHED = {
    "addition": {6: (0.11, 0.10), 10: (0.27, 0.13), 14: (0.68, 0.24)},
    "multiplication": {6: (0.05, 0.01), 10: (0.16, 0.08), 14: (0.46, 0.21)},
}


def right_strings(operation):
    """Indices of the 16 strings that are calculated right."""
    a, b = np.meshgrid(np.arange(4), np.arange(4))
    return np.sort(np.ravel(a + 4 * b + 16 * OPERATIONS[operation](a, b)))


# ---------------------------------------------------------------------------------- rules

# A pattern fixes some bits to 0 or 1 and leaves the others free, 2: the string it matches is wrong.
PATTERNS = np.array(list(product(range(3), repeat=N_BITS)))
LENGTHS = (PATTERNS < 2).sum(axis=1)
MATCHES = np.array([((each == STRINGS) | (each == 2)).all(axis=1) for each in PATTERNS])
# Place of every pattern with one of its bits set free.
FREED = np.arange(len(PATTERNS))[:, None] + (2 - PATTERNS) * 3 ** np.arange(N_BITS)[::-1]


def prime_rules(known):
    """Places of the patterns that match no known string, and do so with any bit set free."""
    holds = ~MATCHES[:, known].any(axis=1)
    shortened = holds[FREED] & (PATTERNS < 2)
    return np.flatnonzero(holds & ~shortened.any(axis=1))


def formula(known, rng):
    """Some of the prime rules, which together match all strings but the known ones: greedily."""
    rules, missing, chosen = rng.permutation(prime_rules(known)), np.ones(len(STRINGS), bool), []
    missing[known] = False
    while missing.any():
        chosen.append(rules[(MATCHES[rules] & missing).sum(axis=1).argmax()])
        missing &= ~MATCHES[chosen[-1]]
    return np.array(chosen)


RULES = {
    "of one formula": formula,
    "all that are prime": lambda known, rng: rng.permutation(prime_rules(known)),
}


def cheapest(excluded, targets, cost):
    """Rules that together exclude all targets at least cost: best first, so exactly.

    ``cost(rules)`` must not fall when a rule is added. A step adds a rule for the target that the
    fewest rules exclude; of equal costs the one found first is taken.
    """
    order = targets[np.argsort(excluded[:, targets].sum(axis=0), kind="stable")]
    number, queue, seen = count(), [(0, 0, ())], set()
    while queue:
        _, _, rules = heappop(queue)
        gone = excluded[list(rules)].any(axis=0) if rules else np.zeros(len(STRINGS), dtype=bool)
        missing = order[~gone[order]]
        if not len(missing):
            return list(rules)
        for rule in np.flatnonzero(excluded[:, missing[0]]):
            more = tuple(sorted((*rules, int(rule))))
            if more not in seen:
                seen.add(more)
                heappush(queue, (cost(more), next(number), more))
    raise ValueError("The rules do not exclude all targets.")


# ----------------------------------------------------------------------------- experiment


def trial(operation, choose_rules, n_known, rng):
    """For both policies: the share of right strings kept, whether all, and whether only these."""
    right = right_strings(operation)
    known, bit = rng.choice(right, size=n_known, replace=False), int(rng.integers(N_BITS))
    # The known strings with the bit the wrong way; in a product by 0 both ways may be right.
    targets = np.setdiff1d(known ^ (1 << bit), known)
    rules = choose_rules(known, rng)
    rules = rules[MATCHES[rules][:, targets].any(axis=1)]
    if not len(targets):
        return dict.fromkeys(NAMES, (1.0, True, True))
    vocabulary, lengths = Vocabulary(~MATCHES[rules]), LENGTHS[rules]
    costs = {
        # Strings excluded, and the length where that is equal.
        "weakest": lambda policy: (-vocabulary.truth(policy).sum(), lengths[list(policy)].sum()),
        "shortest": lambda policy: lengths[list(policy)].sum(),
    }
    found = {}
    for name, cost in costs.items():
        kept = vocabulary.truth(cheapest(MATCHES[rules], targets, cost))
        all_right = kept[right].all()
        no_wrong = not kept[np.setdiff1d(right ^ (1 << bit), right)].any()
        found[name] = kept[right].mean(), all_right, all_right and no_wrong
    return found


def experiment(operation, choose_rules, n_trials):
    """Means over the trials, an array (policy, known, share | all kept | only these kept)."""
    means = []
    for n_known in SIZES:
        rng = np.random.default_rng([n_known, len(operation)])
        found = [trial(operation, choose_rules, n_known, rng) for _ in range(n_trials)]
        means.append([np.mean([each[name] for each in found], axis=0) for name in NAMES])
    return np.array(means).swapaxes(0, 1)


# --------------------------------------------------------------------------------- output


def print_table(title, found, published, n_trials):
    print(f"\n{title}, {n_trials} trials: weakest / shortest")
    print(f"{'known':>5}{'right kept':>16}{'all kept':>16}{'published':>16}{'and no wrong':>16}")
    for k, n_known in enumerate(SIZES):
        share, rate, told = (f"{found[0, k, j]:.2f} / {found[1, k, j]:.2f}" for j in range(3))
        theirs = "{:.2f} / {:.2f}".format(*published[n_known]) if n_known in published else ""
        print(f"{n_known:>5}{share:>16}{rate:>16}{theirs:>16}{told:>16}")


def save_picture(results):
    figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained", sharey=True)
    for ax, ((operation, rules), found) in zip(axes.flat, results.items(), strict=True):
        published = PUBLISHED[operation]
        for k, name in enumerate(NAMES):
            ax.plot(SIZES, found[k, :, 1], "o-", color=f"C{k}", label=f"{name}: right ones kept")
            ax.plot(SIZES, found[k, :, 2], "s:", color=f"C{k}", label=f"{name}: and no wrong one")
            rates = [rate[k] for rate in published.values()]
            ax.plot(list(published), rates, "x", color=f"C{k}", label=f"{name}: published")
        ax.set_title(f"{operation}, rules: {rules}")
        ax.set_xlabel("known strings, of 16")
        ax.set_ylabel("share of trials")
        ax.grid(alpha=0.3)
    axes[0, 0].legend(fontsize=8)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=120)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=64)
    args = parser.parse_args()
    results = {
        (operation, rules): experiment(operation, choose_rules, args.trials)
        for operation in OPERATIONS
        for rules, choose_rules in RULES.items()
    }
    for (operation, rules), found in results.items():
        title = f"{operation}, rules: {rules}"
        print_table(title, found, PUBLISHED[operation], args.trials)
    print(
        "\nShare of the right strings that a policy keeps; share of trials in which it keeps all\n"
        "16, as published; and in which it keeps no other candidate either."
    )
    print_findings(results)
    save_picture(results)
    print(f"Picture: results/{PICTURE.name}")


def print_findings(results):
    """Which policy keeps all right strings more often, over all numbers of known ones."""
    for (operation, rules), found in results.items():
        weakest, shortest = found[:, :, 1].mean(axis=1)
        print(
            f"{operation}, rules: {rules}: the weakest policy generalises in {weakest:.0%} of the "
            f"trials, the shortest in {shortest:.0%}"
        )


if __name__ == "__main__":
    main()

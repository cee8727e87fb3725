"""The tables of the study of what pays."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata, studentized_range, ttest_rel

LEVEL = 0.05


def report(path):
    """Mean scores, ranks, and every flat setting against the best baseline of its cell."""
    frame = pd.read_csv(path)
    frame["cell"] = frame["data"] + frame["noise"].map(" {:.0%}".format)
    groups = frame.drop_duplicates("method").set_index("method")["group"]
    scores = frame.pivot_table(index=["cell", "seed"], columns="method", values="test")
    print(f"{len(frame)} results on {frame['cell'].nunique()} cells\n")
    means = scores.groupby("cell").mean()
    print("mean test score\n" + means.T.round(3).to_string())
    _ranks(means.drop(columns=groups.index[groups == "yardstick"], errors="ignore"))
    for method in groups.index[groups.isin(["flat", "joint"])]:
        _against_baselines(method, scores, means, groups)
    _decisions(scores, means, groups)


def _ranks(means):
    ranks = rankdata(-means.dropna(axis=1).to_numpy(), axis=1).mean(axis=0)
    k, n = len(ranks), len(means)
    difference = studentized_range.ppf(1 - LEVEL, k, np.inf) / np.sqrt(2)
    difference *= np.sqrt(k * (k + 1) / (6 * n))
    names = means.dropna(axis=1).columns
    print(f"\naverage rank over {n} cells (critical difference {difference:.2f})")
    print(pd.Series(ranks, names).sort_values().round(2).to_string())


def compared(method, scores, means, groups):
    """A method against the baseline of the best mean in every cell, paired over the seeds."""
    baselines = groups.index[groups == "baseline"]
    rows = []
    for cell, part in scores.groupby("cell"):
        best = means.loc[cell, baselines].idxmax()
        pairs = part[[method, best]].dropna()
        if len(pairs) == 0:  # the method has not run on this cell
            continue
        difference = (pairs[method] - pairs[best]).to_numpy()
        spread = difference.std(ddof=1) if len(difference) > 1 else np.nan
        p = ttest_rel(pairs[method], pairs[best]).pvalue if spread > 0 else 1.0
        rows.append((cell, best, difference.mean(), spread / np.sqrt(len(difference)), p))
    found = pd.DataFrame(rows, columns=["cell", "baseline", "difference", "stderr", "p"])
    return found.assign(significant=holm(found["p"].to_numpy())).set_index("cell")


def holm(p):
    """Which of several p-values are significant together, by Holm's rule."""
    order, rejected = np.argsort(p), np.zeros(len(p), bool)
    for rank, place in enumerate(order):
        if not p[place] <= LEVEL / (len(p) - rank):
            break
        rejected[place] = True
    return rejected


def _against_baselines(method, scores, means, groups):
    found = compared(method, scores, means, groups)
    behind = found[found.significant & (found.difference < 0)]
    ahead = found[found.significant & (found.difference > 0)]
    print(
        f"\n{method}: mean difference to the best baseline {found.difference.mean():+.4f}; "
        f"significantly behind on {len(behind)}, ahead on {len(ahead)} of {len(found)} cells"
    )


def _decisions(scores, means, groups):
    """In every cell the best baseline, the best flat setting, and what lies between them."""
    flat = groups.index[groups.isin(["flat", "joint"])]
    rows = []
    for cell in means.index:
        best = means.loc[cell, flat].idxmax()
        found = compared(best, scores, means, groups).loc[cell]
        rows.append((cell, found.baseline, best, 100 * found.difference, 100 * found.stderr))
    columns = ["cell", "best baseline", "best flat setting", "difference", "stderr"]
    print("\nbest of either kind by test score (points; the best of many is flattered)")
    print(pd.DataFrame(rows, columns=columns).round(2).to_string(index=False))

"""The table of a search in the format of scikit-learn's searches, and its best row."""

import numpy as np


def cv_results(tried, trials, measures):
    """The ``cv_results_`` of settings that `Trials` has trained and scored."""
    # Predictions that are too large have infinite scores, which have no spread.
    with np.errstate(invalid="ignore", over="ignore"):
        return _cv_results(tried, trials, measures)


def _cv_results(tried, trials, measures):
    scores, mean = trials.scores, trials.scores.mean(axis=1)
    ended = np.array([trials.has_ended(i) for i in range(len(tried))])
    finished = ended & np.isfinite(mean)
    results = {
        f"param_{name}": np.ma.masked_array([each[name] for each in tried]) for name in tried[0]
    }
    results["params"] = tried
    results |= {f"split{k}_test_score": scores[:, k] for k in range(scores.shape[1])}
    results["mean_test_score"] = mean
    results["std_test_score"] = scores.std(axis=1)
    results["rank_test_score"] = _ranks(np.where(finished, np.inf, trials.levels), mean)
    results["finished"] = finished
    results["n_epochs"] = trials.table("n_iter_").mean(axis=1)
    results["n_grad_evals"] = trials.table("n_grad_evals_").mean(axis=1)
    for name in measures or ():
        found = trials.table(f"{name}_")
        results[f"mean_{name}"], results[f"std_{name}"] = found.mean(axis=1), found.std(axis=1)
    return results


def best(results):
    """The index of the best setting whose training has ended; of equal ones the first."""
    return int(np.argmin(results["rank_test_score"]))


def _ranks(levels, scores):
    """Ranks from 1, first by the length of training, then by the score.

    Settings that are equal up to rounding have equal ranks.
    """
    # A score that is not finite ranks last. Scores are rounded to a unit relative to the largest,
    # because means that are summed in another order differ in their last digits.
    scores = np.nan_to_num(scores, nan=-np.inf)
    unit = 1e-12 * max(np.abs(scores[np.isfinite(scores)]), default=1.0) or 1.0
    keys = np.column_stack([-levels, -np.round(scores / unit)])
    _, places, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return (1 + np.cumsum(counts) - counts)[places.ravel()].astype(np.int32)

"""What a fit of threshold units says where it has not learnt what it was given."""

import numpy as np

RARE = 0.2  # share of the rows in all but the most frequent class that makes them rare


def shortcomings(clf, y, predicted):
    """The text of a warning about a fit to labels, empty where it has left nothing to be desired.

    Parameters
    ----------
    clf : FlatPerceptronClassifier or FlatCommitteeClassifier
        With the number of errors and of violated rows.
    y, predicted : ndarray of shape (n_rows,)
        Classes of the training rows.
    """
    classes, counts = np.unique(y, return_counts=True)
    is_behind = clf.n_errors_ >= len(y) - counts.max()
    said = []
    if clf._has_bits and clf.n_violated_.any():
        said.append(_violations(clf, len(y)))
    if is_behind:
        said.append(_behind(clf.n_errors_, classes, counts))
    if (predicted == predicted[0]).all():
        said.append(f"Every training row is predicted to be of class {_shown(predicted[:1])}.")
    if said:
        said.append(_against_failure(clf, counts) if is_behind else _against_violations(clf))
    return " ".join(said)


def _violations(clf, n_rows):
    violated = clf.n_violated_
    count = f"{violated[0]} are violated"
    if len(violated) > 1:
        problems = f"{np.count_nonzero(violated)} of {len(violated)} one-vs-rest problems"
        count = f"up to {violated.max()} are violated, in {problems} (see n_violated_)"
    return (
        f"{type(clf._solver()).__name__} ended after {clf.n_iter_} iterations without a solution: "
        f"of {n_rows} rows, {count}. The weights that violate the fewest are kept."
    )


def _behind(n_errors, classes, counts):
    n_rows, best = counts.sum(), counts.argmax()
    return (
        f"The training accuracy, {1 - n_errors / n_rows:.3g}, is no better than that of always "
        f"predicting the class {_shown(classes[best : best + 1])}, {counts[best] / n_rows:.3g}."
    )


def _against_failure(clf, counts):
    """What to try where nothing has been learnt."""
    advice = [f"{name}=True" for name in ("scale", "fit_intercept") if not getattr(clf, name)]
    advice += clf._alternatives
    if 1 - counts.max() / counts.sum() < RARE:
        advice.append("fewer training rows of the most frequent class, for the others are rare")
    return f"Try {', or '.join(advice)}."


def _against_violations(clf):
    """What to try where some rows are violated."""
    return (
        f"If no weights satisfy all rows, {' or '.join(clf._alternatives)} may satisfy more. "
        "If some do, more iterations, another solver or another random_state may find them."
    )


def _shown(one):
    """A class as one would write it."""
    return repr(one.tolist()[0])

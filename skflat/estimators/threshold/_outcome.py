"""The warning of a fit of threshold units that has not learnt its training data."""

import numpy as np

FREQUENT = 0.8  # if a class has a larger share of the rows, solvers may hardly see the others


def shortcomings(clf, y, predicted):
    """The text of a warning about a fit. It is empty if there is nothing to warn of.

    Parameters
    ----------
    clf : ThresholdClassifier
        The classifier, with the numbers of errors and of violated rows.
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
        said.append(f"It predicts one class only, {_shown(predicted[:1])}.")
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
    """What to try if nothing has been learnt."""
    switches = [f"{name}=True" for name in ("scale", "fit_intercept") if not getattr(clf, name)]
    advice = [*switches, *clf._alternatives]
    if counts.max() > FREQUENT * counts.sum():
        advice.append("a sample of the rows in which the classes are balanced")
    return f"Try {', or '.join(advice)}."


def _against_violations(clf):
    """What to try if some rows are violated."""
    return (
        f"There may be no solution; then {' or '.join(clf._alternatives)} may satisfy more rows. "
        "If there is one, more iterations, another solver or another random_state may find it."
    )


def _shown(one):
    """A class label as Python source, without numpy's type."""
    return repr(one.tolist()[0])

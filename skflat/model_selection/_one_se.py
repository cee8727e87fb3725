"""Choose among the settings of a search: the flattest that is about as good as the best."""

import numpy as np

#: Scores with a smaller relative difference are equal.
ROUNDING = 1e-12


def flattest_within_one_se(cv_results):
    """The flattest setting whose mean score is within one standard error of the best.

    Use it for ``refit=`` of scikit-learn's ``GridSearchCV``. In ``FlatMLPClassifierCV`` and
    ``FlatMLPRegressorCV`` it is ``select="flattest_within_one_se"``. The standard error is that of
    the best mean score over the splits. With a single split it is 0.

    A setting with a larger ``rho`` is flatter. ``rho`` may be a parameter of the estimator or of a
    step of a Pipeline. If several settings have the same ``rho``, the one with the best score is
    chosen. If their scores are equal, too, it is the first one. If no parameter is a ``rho``, the
    settings must be in order from the least flat to the flattest.

    Parameters
    ----------
    cv_results : dict
        ``cv_results_`` of a search with one metric. If it has a column ``finished``, only finished
        settings count.

    Returns
    -------
    int
        The index of the setting.

    Raises
    ------
    ValueError
        If there is no such score, if all scores are NaN, or if a ``rho`` is not a number.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.model_selection import flattest_within_one_se
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = FlatMLPClassifier(
    ...     (10,), solver="sam", learning_rate_init=0.02, max_iter=1000, measures=None,
    ...     random_state=0,
    ... )
    >>> grid = {"rho": [0.0, 0.05, 0.2]}
    >>> search = GridSearchCV(clf, grid, refit=flattest_within_one_se).fit(X, y)
    >>> search.best_params_["rho"] in grid["rho"]
    True
    """
    if "mean_test_score" not in cv_results:
        raise ValueError(
            "flattest_within_one_se needs 'mean_test_score' in cv_results, which a search with one "
            f"metric has; got {sorted(cv_results)}."
        )
    mean = np.array(cv_results["mean_test_score"], dtype=float)
    mean[~np.asarray(cv_results.get("finished", np.isfinite(mean)), dtype=bool)] = np.nan
    if not np.isfinite(mean).any():
        raise ValueError(f"No setting has a finite score: 'mean_test_score' is {mean.tolist()}.")
    # A comparison with NaN is false, so unfinished settings cannot be chosen below.
    best = int(np.nanargmax(mean))
    slack = _standard_error(cv_results, best) + ROUNDING * abs(mean[best])
    good = np.flatnonzero(mean >= mean[best] - slack)
    flatness = _radii(cv_results)[good]
    flattest = good[flatness == flatness.max()]
    return int(flattest[np.argmax(mean[flattest])])


def _standard_error(cv_results, index):
    """The standard error of a setting's mean score over the splits. 0 for a single split."""
    scores = [
        cv_results[key][index]
        for key in cv_results
        if key.startswith("split") and key.endswith("_test_score")
    ]
    return float(np.std(scores, ddof=1) / np.sqrt(len(scores))) if len(scores) > 1 else 0.0


def _radii(cv_results):
    """Numbers that are larger for flatter settings: ``rho``, or the position of the setting."""
    names = [key for key in cv_results if key.removeprefix("param_").split("__")[-1] == "rho"]
    if not names:
        return np.arange(len(cv_results["mean_test_score"]))
    # In a list of grids, a grid without ``rho`` leaves masked entries.
    given = np.ma.filled(np.ma.asarray(cv_results[names[0]], dtype=object), np.nan)
    try:
        radii = given.astype(float)
    except (TypeError, ValueError):
        radii = np.full(len(given), np.nan)
    if not np.isfinite(radii).all():
        raise ValueError(
            f"flattest_within_one_se compares numbers, and {names[0]} is {given.tolist()}."
        )
    return radii

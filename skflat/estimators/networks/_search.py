"""Fit with a search: train every setting on every split, and the chosen one on all rows."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state

from ..._callbacks import SearchHooks
from ..._compat import Interval, StrOptions
from ...model_selection import flattest_within_one_se
from .._pipeline import checked_weight
from ._grid import penalties, radii, settings
from ._halving import default_budget, halve
from ._results import best, cv_results
from ._trials import Trials

SELECT = {"best": best, "flattest_within_one_se": flattest_within_one_se}


class Searching:
    """Mixin of a network that chooses ``rho`` and ``alpha`` by cross-validation.

    ``_network_class`` is the class of the network without a search.
    """

    _search_constraints: dict = {
        "rhos": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "alphas": ["array-like"],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "n_jobs": [None, Integral],
        "select": [StrOptions(set(SELECT))],
        "budget": [Interval(Real, 0, None, closed="neither"), None],
    }

    @classmethod
    def constraints_of(cls, network_class):
        """The constraints on the parameters of the network and of the search."""
        own = network_class._parameter_constraints | cls._search_constraints
        return {name: allowed for name, allowed in own.items() if name not in ("rho", "alpha")}

    @property
    def partial_fit(self):
        """Not available, because a search needs all rows at once."""
        raise AttributeError(
            f"{type(self).__name__} has no partial_fit: a search needs all rows at once."
        )

    def _fit_searching(self, X, y, sample_weight, groups):
        """Search, choose a setting, and fit it to all rows."""
        self._check_measures()
        seed = _seed(self.random_state)
        hooks = SearchHooks(self, X, y, sample_weight)
        before = self._last_refit() if self.warm_start else {}
        spent = self._search(X, y, sample_weight, groups, seed, hooks)
        network = self._network(seed).set_params(
            **self.best_params_, warm_start=self.warm_start, verbose=self.verbose
        )
        # With a warm start the network continues from the attributes of the previous refit.
        vars(network.set_params(measures=self.measures)).update(before)
        with hooks.refit(network):
            network.fit(X, y, sample_weight)
        self._take_over(network)
        self.alpha_ = network.alpha
        self.n_grad_evals_ += spent
        hooks.end()
        return self

    def _search(self, X, y, sample_weight, groups, seed, hooks):
        """Set what the search has found; return its cost in gradients of all rows."""
        probe = self._network(seed)
        X, y = probe._validate_input(X, y, incremental=False, reset=True)
        data = X, y, checked_weight(sample_weight, X)
        self.rhos_, self.alphas_ = radii(self.rhos, probe, data), penalties(self.alphas)
        tried = settings(self.rhos_, self.alphas_)
        splits = list(check_cv(self.cv, y, classifier=is_classifier(self)).split(X, y, groups))
        self.n_splits_ = len(splits)
        self.scorer_ = check_scoring(probe, self.scoring)
        # All networks have the same seed, so settings differ by radius and penalty alone.
        networks = [self._network(seed).set_params(**each) for each in tried]
        trials = Trials(networks, data, splits, self.scorer_, self.measures, self.n_jobs, hooks)
        budget = default_budget(len(tried)) if self.budget is None else self.budget
        # A solver that owns its loop cannot be halted at a rung, so all settings run to the end.
        whole = not probe._solver().stochastic
        shape = len(self.rhos_), len(self.alphas_)
        halve(trials, shape, len(tried) if whole else budget)
        self._choose(cv_results(tried, trials, self.measures))
        # A gradient of a split covers only the rows that the split trains on.
        shares = [len(train) / X.shape[0] for train, _ in splits]
        return float(np.nansum(trials.table("n_grad_evals_") @ shares))

    def _choose(self, results):
        """Set the attributes that follow from the table of the search."""
        self.cv_results_ = results
        _warn_of_diverged(results)
        self.best_index_ = SELECT[self.select](results)
        self.best_params_ = results["params"][self.best_index_]
        self.best_score_ = float(results["mean_test_score"][self.best_index_])

    def _network(self, seed):
        """The network without a search; it prints and measures nothing."""
        names = set(self._network_class().get_params(deep=False)) - {"rho", "alpha"}
        network = self._network_class(**{name: getattr(self, name) for name in names})
        return network.set_params(random_state=seed, measures=None, warm_start=False, verbose=False)

    def _last_refit(self):
        """The attributes of the previous refit, without those of the search."""
        return {name: vars(self)[name] for name in getattr(self, "_of_refit", ())}

    def _take_over(self, network):
        """Take over the fitted attributes of the network, but not its parameters."""
        for name in self._last_refit():
            del vars(self)[name]
        params = network.get_params(deep=False)
        fitted = {name: value for name, value in vars(network).items() if name not in params}
        fitted.pop("_skl_callbacks", None)
        self._of_refit = tuple(fitted)
        vars(self).update(fitted)


def _seed(random_state):
    """The seed of all fits: the given number, or a number drawn from the random state."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def _warn_of_diverged(results):
    """Warn of settings without a score, and raise an error if there are no others."""
    # ``s != s`` holds for NaN only.
    failed = [
        p for p, s in zip(results["params"], results["mean_test_score"], strict=True) if s != s
    ]
    if len(failed) == len(results["params"]):
        raise ValueError(
            "Training diverged with every setting of the search. Try a smaller "
            "learning_rate_init, or scale the data."
        )
    if failed:
        warnings.warn(
            f"Training diverged with {len(failed)} of {len(results['params'])} settings, which "
            f"have no score: {failed}.",
            FitFailedWarning,
            stacklevel=7,
        )

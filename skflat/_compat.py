"""The one file that names scikit-learn's private parts."""

from inspect import signature

from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, InvalidParameterError, Options
from sklearn.utils._param_validation import StrOptions as _StrOptions
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call as check_partial_fit_first_call,
)
from sklearn.utils.validation import _check_feature_names_in as names_in
from sklearn.utils.validation import _check_sample_weight as check_sample_weight
from sklearn.utils.validation import _num_samples as num_samples


class StrOptions(_StrOptions):
    """The same, with the names in order where an error lists them."""

    def __str__(self):
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


def accepts_sample_weight(scorer):
    """Whether a scorer, or a function called as one, takes ``sample_weight``."""
    if hasattr(scorer, "_accept_sample_weight"):
        return scorer._accept_sample_weight()
    return "sample_weight" in signature(scorer).parameters


class WeightedScorer:
    """Mixed into scorers of our own: scikit-learn may pass them ``sample_weight``."""

    def _accept_sample_weight(self):
        return True


__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "StrOptions",
    "WeightedScorer",
    "accepts_sample_weight",
    "check_partial_fit_first_call",
    "check_sample_weight",
    "fit_context",
    "names_in",
    "num_samples",
    "safe_indexing",
]

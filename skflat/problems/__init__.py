"""From a fitted estimator back to its objective and the point where it ended."""

from ._factorization import factorization, is_implicit
from ._moved import fitted_model, moved
from ._network import encode, loss_of, network
from ._problem import Problem, as_problem, unwrapped
from ._tasks import BINARY, COMPLETION, MULTICLASS, MULTILABEL, REGRESSION, LearningTask
from ._threshold import committee, one_vs_rest

__all__ = [
    "BINARY",
    "COMPLETION",
    "MULTICLASS",
    "MULTILABEL",
    "REGRESSION",
    "LearningTask",
    "Problem",
    "as_problem",
    "committee",
    "encode",
    "factorization",
    "fitted_model",
    "is_implicit",
    "loss_of",
    "moved",
    "network",
    "one_vs_rest",
    "unwrapped",
]

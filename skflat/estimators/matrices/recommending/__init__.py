"""What recommenders need of a factorization: the best entries of rows, similarities, updates."""

from ._fold_in import FoldingIn
from ._observed import Observed
from ._preferences import (
    check_implicit,
    preference_rho,
    preference_sharpness,
)
from ._recommending import Recommendations, Recommending
from ._updates import touched_by, updates

__all__ = [
    "FoldingIn",
    "Observed",
    "Recommendations",
    "Recommending",
    "check_implicit",
    "preference_rho",
    "preference_sharpness",
    "touched_by",
    "updates",
]

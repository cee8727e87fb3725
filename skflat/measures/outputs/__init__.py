"""Measures of outputs and features. They do not depend on the choice of parameters alone."""

from ._effective_rank import EffectiveRank, effective_rank
from ._hidden import dense
from ._live_units import LiveUnits, live_units
from ._margins import Margins, margins
from ._normalized_margin import NormalizedMargin, normalized_margin

__all__ = [
    "EffectiveRank",
    "LiveUnits",
    "Margins",
    "NormalizedMargin",
    "dense",
    "effective_rank",
    "live_units",
    "margins",
    "normalized_margin",
]

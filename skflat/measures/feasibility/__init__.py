"""Which outcomes affine readings of some features can still realise, with proofs."""

from ._affine import NOTHING, Scaling, extent, reading_of
from ._attainable import attainable, within
from ._completions import WIDE
from ._open_pairs import OpenPairs, decide_pairs, open_pairs, result_of
from ._walk import step_cost
from ._witnesses import Refutation

__all__ = [
    "NOTHING",
    "WIDE",
    "OpenPairs",
    "Refutation",
    "Scaling",
    "attainable",
    "decide_pairs",
    "extent",
    "open_pairs",
    "reading_of",
    "result_of",
    "step_cost",
    "within",
]

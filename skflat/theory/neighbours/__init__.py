"""How many solutions lie close together: around a solution, and in groups."""

from ._clones import CloneThreshold, clone_entropy, clone_threshold
from ._franz_parisi import LocalEntropyCurve, flat_minima_threshold, franz_parisi
from ._student_clones import StudentThreshold, student_clone_entropy, student_clone_threshold

__all__ = [
    "CloneThreshold",
    "LocalEntropyCurve",
    "StudentThreshold",
    "clone_entropy",
    "clone_threshold",
    "flat_minima_threshold",
    "franz_parisi",
    "student_clone_entropy",
    "student_clone_threshold",
]

"""Results of statistical physics on the solutions of binary perceptrons, as numbers.

The functions tell how many solutions random instances have, up to which load there are any, and how
many of them lie close together. Most are formulas in the limit of many weights. Each is evaluated
numerically when it is called. For few weights, the solutions can be enumerated. Weights are -1 and
+1, or real ones on a sphere. A machine is a perceptron or a tree committee of very many units.

`skflat.theory.flatness` is another theory: rules and closed forms of the flatness of smooth losses.
"""

from ._enumeration import ExactSolutions, enumerate_solutions
from ._local_energy import typical_local_energy, typical_stabilities
from ._normal import hamming_entropy
from ._saddle import SaddlePointError
from ._storage import TypicalSolutions, capacity, max_margin, typical_solutions
from ._student import StudentSolutions, student_interpolation, student_max_margin, student_solutions
from ._teacher_student import BayesOptimal, amp_threshold, recovery_threshold, teacher_student
from .neighbours import (
    CloneThreshold,
    LocalEntropyCurve,
    StudentThreshold,
    clone_entropy,
    clone_threshold,
    flat_minima_threshold,
    franz_parisi,
    student_clone_entropy,
    student_clone_threshold,
)

__all__ = [
    "BayesOptimal",
    "CloneThreshold",
    "ExactSolutions",
    "LocalEntropyCurve",
    "SaddlePointError",
    "StudentSolutions",
    "StudentThreshold",
    "TypicalSolutions",
    "amp_threshold",
    "capacity",
    "clone_entropy",
    "clone_threshold",
    "enumerate_solutions",
    "flat_minima_threshold",
    "franz_parisi",
    "hamming_entropy",
    "max_margin",
    "recovery_threshold",
    "student_clone_entropy",
    "student_clone_threshold",
    "student_interpolation",
    "student_max_margin",
    "student_solutions",
    "teacher_student",
    "typical_local_energy",
    "typical_solutions",
    "typical_stabilities",
]

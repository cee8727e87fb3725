"""What was found, in numbers: functions over fitted estimators, and scorer classes.

A new measure is one new file and one line here.
"""

from ._base import Measure, sample_rows
from ._hessian_trace import HessianTrace, hessian_trace
from ._level_set import LevelSetDistance, level_set_distance
from ._measurement import Measurement
from ._weakness import Weakness, weakness

#: Name to class: what an estimator's ``measures`` may hold.
MEASURES = {
    "flatness": LevelSetDistance,
    "sharpness": HessianTrace,
    "weakness": Weakness,
}

__all__ = [
    "MEASURES",
    "HessianTrace",
    "LevelSetDistance",
    "Measure",
    "Measurement",
    "Weakness",
    "hessian_trace",
    "level_set_distance",
    "sample_rows",
    "weakness",
]

"""Plots of results, by scikit-learn's Display convention.

The displays need matplotlib: ``pip install "skflat[plot]"``. They import it only when they draw.
"""

from ._emergence import EmergenceDisplay
from ._generalization import GeneralizationDisplay
from ._landscape import LandscapeDisplay
from ._local_energy import LocalEnergyDisplay
from ._local_entropy import LocalEntropyDisplay
from ._margin import MarginDisplay
from ._rho_path import RhoPathDisplay
from ._solvers import SolverComparisonDisplay
from ._spectrum import SpectrumDisplay
from ._transitions import TransitionDisplay

__all__ = [
    "EmergenceDisplay",
    "GeneralizationDisplay",
    "LandscapeDisplay",
    "LocalEnergyDisplay",
    "LocalEntropyDisplay",
    "MarginDisplay",
    "RhoPathDisplay",
    "SolverComparisonDisplay",
    "SpectrumDisplay",
    "TransitionDisplay",
]

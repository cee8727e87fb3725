"""Learning that seeks flat minima, and measures of what was found, for scikit-learn."""

__version__ = "0.1.0"

from .estimators.exchange import to_sklearn, trusted_types
from .estimators.matrices import FlatMatrixFactorization, FlatMatrixImputer
from .estimators.networks import (
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPRegressor,
    FlatMLPRegressorCV,
)
from .estimators.threshold import (
    FlatCommitteeClassifier,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from .measures import FlatnessMonitor
from .objective import at_home

__all__ = [
    "FlatCommitteeClassifier",
    "FlatMLPClassifier",
    "FlatMLPClassifierCV",
    "FlatMLPRegressor",
    "FlatMLPRegressorCV",
    "FlatMatrixFactorization",
    "FlatMatrixImputer",
    "FlatPerceptronClassifier",
    "FlatSphericalPerceptronClassifier",
    "FlatnessMonitor",
    "__version__",
    "to_sklearn",
    "trusted_types",
]

at_home(__name__, globals())

"""Learning that seeks flat minima, and measures of what was found, for scikit-learn."""

from .estimators.functions import (
    FlatFunctionClassifier,
    FlatFunctionRegressor,
    as_model,
    from_state_dict,
)
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

__version__ = "0.1.0"

__all__ = [
    "FlatCommitteeClassifier",
    "FlatFunctionClassifier",
    "FlatFunctionRegressor",
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
    "as_model",
    "from_state_dict",
]

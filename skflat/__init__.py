"""Learning that seeks flat minima, and measures of what was found, for scikit-learn."""

from .estimators.exchange import to_sklearn, trusted_types
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
from .estimators.uncertainty import (
    FlatMLPEnsembleClassifier,
    FlatMLPEnsembleRegressor,
    LaplaceClassifier,
    LaplaceRegressor,
    laplace,
)
from .measures import FlatnessMonitor, StabilityMonitor, TransitionMonitor
from .objective import at_home

__version__ = "0.1.0"

__all__ = [
    "FlatCommitteeClassifier",
    "FlatFunctionClassifier",
    "FlatFunctionRegressor",
    "FlatMLPClassifier",
    "FlatMLPClassifierCV",
    "FlatMLPEnsembleClassifier",
    "FlatMLPEnsembleRegressor",
    "FlatMLPRegressor",
    "FlatMLPRegressorCV",
    "FlatMatrixFactorization",
    "FlatMatrixImputer",
    "FlatPerceptronClassifier",
    "FlatSphericalPerceptronClassifier",
    "FlatnessMonitor",
    "LaplaceClassifier",
    "LaplaceRegressor",
    "StabilityMonitor",
    "TransitionMonitor",
    "__version__",
    "as_model",
    "from_state_dict",
    "laplace",
    "to_sklearn",
    "trusted_types",
]

at_home(__name__, globals())

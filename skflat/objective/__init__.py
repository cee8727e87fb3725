"""The loss as a function of one flat parameter vector."""

from ._batch import Batch
from ._cache import cache_slices, displaced
from ._capabilities import (
    BinaryMachines,
    Capability,
    Entries,
    ExactTrace,
    Geometry,
    HiddenLayer,
    Hyperplanes,
    LeastSquares,
    NotDefinedError,
    TraceGradient,
    capability,
    require,
)
from ._layout import Layout
from ._losses import (
    Binary,
    ClassLoss,
    HalfPoisson,
    HalfSquared,
    Likelihood,
    Loss,
    Multinomial,
    RegressionLoss,
)
from ._model import ONE_AT_A_TIME, Model
from ._names import at_home
from ._norms import NORMS, norm_weights
from ._objective import CHUNK, Objective
from ._perturbation import PERTURBATIONS, Perturbation, rounded_normals, windowed_normals
from ._products import product, row_scale, transposed_product
from ._sizes import LARGE, SMALL, feature_sizes, target_deviations, unit_radius
from ._workspace import Workspace

__all__ = [
    "CHUNK",
    "LARGE",
    "NORMS",
    "ONE_AT_A_TIME",
    "PERTURBATIONS",
    "SMALL",
    "Batch",
    "Binary",
    "BinaryMachines",
    "Capability",
    "ClassLoss",
    "Entries",
    "ExactTrace",
    "Geometry",
    "HalfPoisson",
    "HalfSquared",
    "HiddenLayer",
    "Hyperplanes",
    "Layout",
    "LeastSquares",
    "Likelihood",
    "Loss",
    "Model",
    "Multinomial",
    "NotDefinedError",
    "Objective",
    "Perturbation",
    "RegressionLoss",
    "TraceGradient",
    "Workspace",
    "at_home",
    "cache_slices",
    "capability",
    "displaced",
    "feature_sizes",
    "norm_weights",
    "product",
    "require",
    "rounded_normals",
    "row_scale",
    "target_deviations",
    "transposed_product",
    "unit_radius",
    "windowed_normals",
]

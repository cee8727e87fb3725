"""The loss as a function of one flat parameter vector."""

from ._autograd import ONE_AT_A_TIME
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
from ._glorot import glorot
from ._layout import Layout
from ._model import Model
from ._norms import NORMS, norm_weights
from ._objective import CHUNK, Objective
from ._perturbation import PERTURBATIONS, Perturbation, rounded_normals, windowed_normals
from ._products import product, row_scale, transposed_product
from ._sizes import (
    LARGE,
    SMALL,
    feature_sizes,
    radius_of_data,
    target_deviations,
    unit_radius,
)
from ._workspace import Workspace
from .losses import (
    REGRESSION_LOSSES,
    Absolute,
    Binary,
    ClassLoss,
    CustomClassLoss,
    CustomLoss,
    HalfGamma,
    HalfPoisson,
    HalfSquared,
    Huber,
    Likelihood,
    Loss,
    Multinomial,
    Pinball,
    RegressionLoss,
    losses_and_residual,
    regression_loss,
)

__all__ = [
    "CHUNK",
    "LARGE",
    "NORMS",
    "ONE_AT_A_TIME",
    "PERTURBATIONS",
    "REGRESSION_LOSSES",
    "SMALL",
    "Absolute",
    "Batch",
    "Binary",
    "BinaryMachines",
    "Capability",
    "ClassLoss",
    "CustomClassLoss",
    "CustomLoss",
    "Entries",
    "ExactTrace",
    "Geometry",
    "HalfGamma",
    "HalfPoisson",
    "HalfSquared",
    "HiddenLayer",
    "Huber",
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
    "Pinball",
    "RegressionLoss",
    "TraceGradient",
    "Workspace",
    "cache_slices",
    "capability",
    "displaced",
    "feature_sizes",
    "glorot",
    "losses_and_residual",
    "norm_weights",
    "product",
    "radius_of_data",
    "regression_loss",
    "require",
    "rounded_normals",
    "row_scale",
    "target_deviations",
    "transposed_product",
    "unit_radius",
    "windowed_normals",
]

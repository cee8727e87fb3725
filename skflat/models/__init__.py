"""The mathematics of the models, on one flat parameter vector."""

from ._activations import Identity, ReLU
from ._adapt import Problem, as_problem
from ._adapt_factorization import factorization
from ._adapt_network import encode, loss_of, moved, network
from ._adapt_threshold import committee, one_vs_rest
from ._batch import Batch
from ._blocks import blocks
from ._committee import Committee
from ._errors import NotDefinedError
from ._factorization import Factorization
from ._flips import Flips, flip_error
from ._free_threshold import N_BITS, FreeThreshold, threshold_bits
from ._layout import Layout
from ._losses import Binary, HalfPoisson, HalfSquared, Loss, Multinomial
from ._max_sum import max_sum_messages
from ._messages import BeliefPropagation
from ._mlp import MLP
from ._model import Model
from ._norms import NORMS, norm_weights
from ._objective import CHUNK, Objective
from ._patterns import Patterns, majority
from ._perturbation import PERTURBATIONS, Perturbation
from ._sizes import LARGE, SMALL, feature_sizes, target_deviations
from ._sphere import Cube, Sphere
from ._stability_loss import StabilityLoss
from ._threshold import best_threshold, winning_threshold
from ._workspace import Workspace

__all__ = [
    "CHUNK",
    "LARGE",
    "MLP",
    "NORMS",
    "N_BITS",
    "PERTURBATIONS",
    "SMALL",
    "Batch",
    "BeliefPropagation",
    "Binary",
    "Committee",
    "Cube",
    "Factorization",
    "Flips",
    "FreeThreshold",
    "HalfPoisson",
    "HalfSquared",
    "Identity",
    "Layout",
    "Loss",
    "Model",
    "Multinomial",
    "NotDefinedError",
    "Objective",
    "Patterns",
    "Perturbation",
    "Problem",
    "ReLU",
    "Sphere",
    "StabilityLoss",
    "Workspace",
    "as_problem",
    "best_threshold",
    "blocks",
    "committee",
    "encode",
    "factorization",
    "feature_sizes",
    "flip_error",
    "loss_of",
    "majority",
    "max_sum_messages",
    "moved",
    "network",
    "norm_weights",
    "one_vs_rest",
    "target_deviations",
    "threshold_bits",
    "winning_threshold",
]

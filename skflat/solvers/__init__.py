"""Solvers that seek flat minima, and the plain ones, in one registry.

A new solver is one new file and one line here.
"""

from ..objective import at_home
from ._agents import Consensus, Diffusion
from ._als import ALS
from ._chain import Chain
from ._ema import EMA
from ._entropy import PatternEntropy
from ._entropy_sgd import EntropySGD
from ._expected_loss import ExpectedLoss
from ._friendly_sam import FriendlySAM
from ._functional_sam import FunctionalSAM
from ._gibbs import Gibbs
from ._gradient import SGD, Adam
from ._gsam import GSAM
from ._label_noise import LabelNoise
from ._lbfgs import LBFGS
from ._max_margin import MaxMargin
from ._msam import MSAM
from ._ngd import NGD
from ._noise import Noise, OneSidedNoise
from ._replicated_sgd import ReplicatedSGD
from ._rsp import RSP
from ._run import History, Run
from ._sam import ASAM, SAM
from ._saner import SANER
from ._sap import SAP
from ._settings import Settings
from ._solver import Rule, Solver, State, minimize, spawn_generator
from ._subspace import Subspace
from ._swa import SWA
from ._trace import TracePenalty

#: From the names in an estimator's ``solver`` to classes. `ALS` and `Gibbs` are missing, because
#: they work for factorizations only. Their estimators add them. `Subspace` is missing, because it
#: is an instrument that by design does not minimise every loss.
SOLVERS = {
    "adam": Adam,
    "asam": ASAM,
    "auto": ExpectedLoss,
    "chain": Chain,
    "consensus": Consensus,
    "diffusion": Diffusion,
    "ema": EMA,
    "entropy": PatternEntropy,
    "entropy_sgd": EntropySGD,
    "friendly_sam": FriendlySAM,
    "functional_sam": FunctionalSAM,
    "gsam": GSAM,
    "label_noise": LabelNoise,
    "lbfgs": LBFGS,
    "msam": MSAM,
    "ngd": NGD,
    "noise": Noise,
    "one_sided_noise": OneSidedNoise,
    "replicated_sgd": ReplicatedSGD,
    "rsp": RSP,
    "sam": SAM,
    "saner": SANER,
    "sap": SAP,
    "sgd": SGD,
    "swa": SWA,
    "trace": TracePenalty,
}

__all__ = [
    "ALS",
    "ASAM",
    "EMA",
    "GSAM",
    "LBFGS",
    "MSAM",
    "NGD",
    "RSP",
    "SAM",
    "SANER",
    "SAP",
    "SGD",
    "SOLVERS",
    "SWA",
    "Adam",
    "Chain",
    "Consensus",
    "Diffusion",
    "EntropySGD",
    "ExpectedLoss",
    "FriendlySAM",
    "FunctionalSAM",
    "Gibbs",
    "History",
    "LabelNoise",
    "MaxMargin",
    "Noise",
    "OneSidedNoise",
    "PatternEntropy",
    "ReplicatedSGD",
    "Rule",
    "Run",
    "Settings",
    "Solver",
    "State",
    "Subspace",
    "TracePenalty",
    "minimize",
    "spawn_generator",
]

at_home(__name__, globals())

"""Measures that displace the parameters at random."""

from ._learning_coefficient import LearningCoefficient, learning_coefficient
from ._local_energy import LocalEnergy, local_energy
from ._local_volume import LocalVolume, local_volume
from ._magnitude import MagnitudeSharpness, magnitude_sharpness
from ._noise_stability import NoiseStability, noise_stability
from ._pac_bayes import PacBayesBound, pac_bayes_bound
from ._shells import counts_by_distance, log_binomial, sampled_log_count

__all__ = [
    "LearningCoefficient",
    "LocalEnergy",
    "LocalVolume",
    "MagnitudeSharpness",
    "NoiseStability",
    "PacBayesBound",
    "counts_by_distance",
    "learning_coefficient",
    "local_energy",
    "local_volume",
    "log_binomial",
    "magnitude_sharpness",
    "noise_stability",
    "pac_bayes_bound",
    "sampled_log_count",
]

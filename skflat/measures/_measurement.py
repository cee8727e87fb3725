"""A measured number with what it takes to trust it."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Measurement:
    """The result of a measure.

    Attributes
    ----------
    value : float
        In the units that the measure defines.
    stderr : float
        Standard error, of the probes and of the sampling of rows; 0 where both are exact.
    kind : {'exact', 'estimate', 'upper_bound', 'lower_bound'}
        What the value is of the quantity defined. What a search finds is a bound.
    n_evals : int
        Passes over the rows: a loss or gradient counts 1, a Hessian product 2.
    converged : bool
        Whether the method ended by its own criterion.
    samples : ndarray
        What the value was computed from: one number a layer, start or probe.
    protocol : dict
        Loss, rows, seed and whatever else it takes to repeat the measurement.
    """

    value: float
    stderr: float
    kind: str
    n_evals: int
    converged: bool
    samples: np.ndarray
    protocol: dict = field(repr=False)

    def __float__(self):
        return float(self.value)

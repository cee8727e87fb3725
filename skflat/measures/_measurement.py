"""A measured number with what it takes to trust it."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
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
        What the value was computed from: one number a layer, start, draw or probe.
    protocol : dict
        Loss, rows, seed and whatever else it takes to repeat the measurement.
    table : dict of str to ndarray
        Where a measure finds a curve or a list, its columns, all of one length. What they are
        says the measure; ``pandas.DataFrame(measurement.table)`` shows them.
    """

    value: float
    stderr: float
    kind: str
    n_evals: int
    converged: bool
    samples: np.ndarray
    protocol: dict = field(repr=False)
    table: dict = field(repr=False, default_factory=dict)

    def __float__(self):
        return float(self.value)

"""A measured number with its error, its kind and its protocol."""

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
        Standard error due to random probes and to the sampling of rows. It is 0 if there are none.
    kind : {'exact', 'estimate', 'upper_bound', 'lower_bound'}
        How the value relates to the quantity defined. A search finds a bound.
    n_evals : int
        Passes over the rows: a loss or gradient counts 1, a Hessian product 2.
    converged : bool
        Whether the method ended by its own criterion.
    samples : ndarray
        The numbers from which the value was computed: one per layer, start, draw or probe.
    protocol : dict
        Loss, rows, seed and everything else needed to repeat the measurement.
    table : dict of str to ndarray
        If a measure finds a curve or a list, its columns, all of the same length. The measure
        documents them. ``pandas.DataFrame(measurement.table)`` shows them.
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

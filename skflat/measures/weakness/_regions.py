"""Activation regions of hidden layers: which of them hold probes, and which hold training rows."""

from typing import NamedTuple

import numpy as np


class Regions(NamedTuple):
    """Distinct activation patterns of a layer: at the rows, at the probes, at these alone."""

    n_rows: int
    n_probes: int
    n_free: int


def regions(layer, at_probes):
    """Count the patterns of units that are on, which is where their output is positive.

    Parameters
    ----------
    layer : ndarray of shape (n_rows, n_units)
        Outputs of a hidden layer on the training rows.
    at_probes : ndarray of shape (n_probes, n_units)

    Returns
    -------
    Regions
    """
    rows, probes = set(_patterns(layer)), set(_patterns(at_probes))
    return Regions(len(rows), len(probes), len(probes - rows))


def alone(layer, at_probes):
    """Which probes share their pattern with no row, of shape (n_probes,)."""
    rows = set(_patterns(layer))
    return np.array([pattern not in rows for pattern in _patterns(at_probes)])


def _patterns(layer):
    # Packed bits as bytes can be hashed, so counting patterns needs no pairwise comparison.
    return [row.tobytes() for row in np.packbits(layer > 0, axis=1)]

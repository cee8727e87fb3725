"""Bins of time: the column of times, and the codes of users and items in a bin."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from ....solvers import ALS

KINDS = {"M": "dates"} | dict.fromkeys("biuf", "numbers")


@dataclass
class TimeBins:
    """Bins with about equally many of the times of a fit.

    Attributes
    ----------
    place : int
        Position of the column of times.
    edges : ndarray of shape (n_bins - 1,)
        The first time of every bin but the first.
    """

    place: int
    edges: np.ndarray

    @classmethod
    def of(cls, columns, place, n_bins):
        """The bins of the times in the columns of a fit. Equal times are in one bin."""
        times = np.sort(_checked(columns[place]))
        edges = np.unique(times[np.arange(1, n_bins) * len(times) // n_bins])
        return cls(place, edges[edges > times[0]])

    @property
    def n(self):
        return len(self.edges) + 1

    def left_out(self, columns):
        """The columns, or their labels, without that of the times."""
        return [*columns[: self.place], *columns[self.place + 1 :]]

    def with_bins(self, codes, columns):
        """The codes of identifiers, followed by those in the bins of the columns."""
        times = _checked(columns[self.place], like=self.edges)
        bins = np.searchsorted(self.edges, times, side="right")[:, None]
        # An unknown entity has the code -1 in every bin.
        return np.hstack([codes, np.where(codes < 0, -1, codes * self.n + bins)])


def place_of_times(timestamps, names, n_columns):
    """The position of the column that ``timestamps`` names.

    Parameters
    ----------
    timestamps : int or str
    names : ndarray of str or None
        Names of the columns, if they have some.
    n_columns : int

    Raises
    ------
    ValueError
        If there is no such column, or if there are not two columns of identifiers beside it.
    """
    known = [] if names is None else list(names)
    is_number = isinstance(timestamps, Integral) and not isinstance(timestamps, bool)
    if is_number and -n_columns <= timestamps < n_columns:
        place = int(timestamps) % n_columns
    elif isinstance(timestamps, str) and timestamps in known:
        place = known.index(timestamps)
    else:
        raise ValueError(
            f"timestamps must be the position or the name of one of the {n_columns} columns of X, "
            f"got {timestamps!r}."
        )
    if n_columns != 3:
        raise ValueError(
            "timestamps needs two columns of identifiers and one of times, got "
            f"{n_columns} columns."
        )
    return place


def _checked(times, like=None):
    """Times, which must be numbers or dates, and of the same kind as those of the fit."""
    kind, first = KINDS.get(times.dtype.kind), times[:1].tolist()[0]
    if kind is None:
        raise ValueError(f"Times must be numbers or dates without a time zone, got {first!r}.")
    if like is not None and kind != KINDS[like.dtype.kind]:
        raise ValueError(f"Times were {KINDS[like.dtype.kind]} in fit, got {first!r}.")
    return times


class Timed:
    """Mixin of a factorization whose observations may have times.

    ``_times`` are the `TimeBins` of the fitted model. None stands for no times.
    """

    _times = None

    def _check_timed(self, first_pass, is_matrix):
        """Refuse what drifting offsets cannot be combined with."""
        if self.timestamps is None and (first_pass or self._times is None):
            return
        asked = {
            f"solver='als', got {self.solver!r}": isinstance(self._solver(), ALS),
            "identifiers with values y, and no matrix": not is_matrix,
            "feedback='explicit'": self.feedback == "explicit",
            "fit_offsets=True": self.fit_offsets,
            "a fit of all observations: there is no partial_fit, fold_in or warm start": first_pass,
        }
        for what, is_true in asked.items():
            if not is_true:
                raise ValueError(f"timestamps={self.timestamps!r}: this needs {what}.")

    def _learnt_times(self, columns):
        """The bins of a fit, or None."""
        if self.timestamps is None:
            return None
        names = getattr(self, "feature_names_in_", None)
        place = place_of_times(self.timestamps, names, len(columns))
        return TimeBins.of(columns, place, self.n_time_bins)

"""Bins of time: the column of times, and the codes of users and items in a bin."""

from numbers import Integral

import numpy as np

from ....solvers import ALS

KINDS = {"M": "dates", "i": "numbers", "u": "numbers", "f": "numbers", "b": "numbers"}


def without_times(columns, place):
    """The columns of identifiers, and the column of times or None."""
    if place is None:
        return columns, None
    return [*columns[:place], *columns[place + 1 :]], columns[place]


def place_of_times(timestamps, names, n_columns):
    """The position of the column that ``timestamps`` names, or None.

    Parameters
    ----------
    timestamps : int, str or None
    names : ndarray of str or None
        Names of the columns, if they have some.
    n_columns : int

    Raises
    ------
    ValueError
        If there is no such column, or if there are not two columns of identifiers beside it.
    """
    if timestamps is None:
        return None
    known = [] if names is None else list(names)
    if isinstance(timestamps, Integral) and -n_columns <= timestamps < n_columns:
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


def edges_of(times, n_bins):
    """The first times of all bins but the first. The bins have about equally many of the times."""
    _check_kind(times)
    places = np.arange(1, n_bins) * len(times) // n_bins
    first = np.sort(times)
    edges = np.unique(first[places])
    return edges[edges > first[0]]


def bins_of(times, edges):
    """The bin of every time. Those before all training times are in the first bin."""
    _check_kind(times, edges)
    return np.searchsorted(edges, times, side="right")


def in_bins(codes, bins, n_bins):
    """Codes of two kinds, with those of both in a bin as two more columns.

    An unknown entity has the code -1 in every bin.
    """
    drifts = np.where(codes < 0, -1, codes * n_bins + np.reshape(bins, (-1, 1)))
    return np.hstack([codes, drifts])


def _check_kind(times, edges=None):
    kind = KINDS.get(times.dtype.kind)
    if kind is None:
        raise ValueError(
            f"Times must be numbers or dates without a time zone, got {times[:1].tolist()[0]!r}."
        )
    if edges is not None and kind != KINDS[edges.dtype.kind]:
        raise ValueError(
            f"Times were {KINDS[edges.dtype.kind]} in fit, got {times[:1].tolist()[0]!r}."
        )


class Timed:
    """Mixin of a factorization whose observations may have times.

    ``_times`` is the position of the column of times and the edges of the bins. It is None if the
    fitted model has no drifts.
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
        """The bins of a fit, what ``_times`` is to be, and the columns of identifiers.

        Bins are None if there are no times.
        """
        names = getattr(self, "feature_names_in_", None)
        place = place_of_times(self.timestamps, names, len(columns))
        columns, when = without_times(columns, place)
        if when is None:
            return None, None, columns
        edges = edges_of(when, self.n_time_bins)
        return bins_of(when, edges), (place, edges), columns

    def _identifiers_alone(self, columns):
        """The given columns of a fitted model, or their labels, without that of the times."""
        return columns if self._times is None else without_times(columns, self._times[0])[0]

    def _with_bins(self, codes, columns):
        """The codes of identifiers, followed by those in the bins of the given columns."""
        if self._times is None:
            return codes
        place, edges = self._times
        return in_bins(codes, bins_of(columns[place], edges), len(edges) + 1)

    def _at_last(self, codes):
        """The codes of identifiers, followed by those in the last bin."""
        if self._times is None:
            return codes
        n_bins = len(self._times[1]) + 1
        return in_bins(codes, n_bins - 1, n_bins)

"""Mixin of a factorization whose users and items may be described by features."""

import warnings

import numpy as np

from ....models.factorization import SideFeatures
from ....solvers import ALS
from .._identifiers import merged
from ._tables import FeatureTable

PARAMETERS = ("user_features", "item_features")
COEFFICIENTS = ("user_coef_", "item_coef_")


class Described:
    """Mixin that reads the parameters ``user_features`` and ``item_features``."""

    def _tables(self):
        """The validated tables of the first two kinds. None stands for no table."""
        return [FeatureTable.of(getattr(self, name), name) for name in PARAMETERS]

    def _check_described(self, tables, n_kinds, is_matrix):
        """Refuse what side features cannot be combined with."""
        given = [table.label for table in tables if table is not None]
        asked = {
            f"solver='als', got {self.solver!r}": isinstance(self._solver(), ALS),
            "identifiers with values y: rows of a matrix have no identifiers": not is_matrix,
            "two columns of identifiers, got 1": n_kinds > 1 or tables[1] is None,
        }
        for what, is_true in asked.items():
            if given and not is_true:
                raise ValueError(f"{' and '.join(given)}: this needs {what}.")

    def _side_features(self, tables, identifiers, dtype, learnt_from=None):
        """The features of all entities in the order of their codes, or None."""
        pairs = zip(tables, identifiers, strict=False)
        found = [table and table.ordered(known, dtype) for table, known in pairs]
        if all(each is None for each in found):
            return None
        found += [None] * (len(identifiers) - len(found))
        return SideFeatures(found, float(self.alpha_features), learnt_from)

    def _rated_by_now(self, tables, codes, identifiers, places, first_pass):
        """Masks of the entities with observations in this or an earlier call.

        None if no table has added any that have none.
        """
        if not any(tables) and (first_pass or getattr(self, "_rated", None) is None):
            return None
        rated = [np.zeros(len(known), bool) for known in identifiers]
        if not first_pass:
            rated = self._rated_before(identifiers, places)
        for mask, column in zip(rated, codes.T, strict=True):
            mask[column] = True
        return rated

    def _rated_before(self, identifiers, places):
        """Masks of the entities with observations in earlier calls, in the order of new codes."""
        rated = getattr(self, "_rated", None) or [True] * len(places)
        masks = [np.zeros(len(known), bool) for known in identifiers]
        for mask, place, old in zip(masks, places, rated, strict=True):
            mask[place] = old
        return masks


def with_described(tables, identifiers, places, labels):
    """Add the identifiers of tables to those of the observations, in place.

    Parameters
    ----------
    tables : list of FeatureTable or None
    identifiers : list of ndarray
        For every kind, its identifiers in order.
    places : list
        For every kind, positions among them.
    labels : list of str
        The columns of the identifiers, for errors.
    """
    for c, table in enumerate(tables[: len(identifiers)]):
        if table is not None:
            table.check_kind(identifiers[c], labels[c])
            n_before = len(identifiers[c])
            identifiers[c], moved = merged(identifiers[c], table.ids)
            places[c] = moved[places[c]]
            if len(identifiers[c]) == n_before + len(table.ids):
                warnings.warn(
                    f"No identifier in {table.label} occurs in {labels[c]} of X, so nothing can be "
                    "learnt from its features.",
                    stacklevel=6,
                )


def coefficients(tables, prior, w):
    """The attributes with the coefficients of features in the unit of the tables.

    Parameters
    ----------
    tables : list of FeatureTable or None
    prior : LinearPrior or None
    w : ndarray of shape (n_parameters,)
        In the users' unit.

    Returns
    -------
    dict of str to ndarray or None
    """
    found = dict.fromkeys(COEFFICIENTS)
    for c in prior.kinds if prior else ():
        prior.learn(w, c)
        found[COEFFICIENTS[c]] = prior.coefficients[c] / tables[c].scale[:, None].astype(w.dtype)
    return found

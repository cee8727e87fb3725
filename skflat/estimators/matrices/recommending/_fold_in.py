"""Observations that are kept, and entities that are added while all known ones stay."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ...._parallel import one_thread
from ....objective import HalfSquared, LeastSquares, Objective
from ..._pipeline import all_or_nothing
from .._predictions import Predicting
from ._observed import Observed
from ._updates import touched_by

N_TURNS = 5  # new entities of both kinds may occur together, so they are solved for in turn


class FoldingIn(Predicting):
    """Mixin that keeps observations and folds in new entities."""

    def _kept(self, observations, sizes, places):
        """All observations so far, or None if they are not kept.

        ``places`` are the new positions of the known entities. None begins anew.
        """
        if not self.keep_seen:
            return None
        if len(sizes) != 2:
            raise ValueError(f"keep_seen is for two columns of identifiers, got {len(sizes)}.")
        if self.feedback == "implicit":  # a count of 0 says that nothing was seen
            counted = observations[1] != 0
            observations = [None if each is None else each[counted] for each in observations]
        before = getattr(self, "_seen", None)
        if places is None or not hasattr(self, "factors_"):
            return Observed.of(*observations, sizes[0])
        if before is None:
            raise ValueError(
                "The observations of the calls before were not kept: set keep_seen=True before the "
                "first call."
            )
        return before.and_more(*observations, sizes[0], places)

    def fold_in(self, X, y, sample_weight=None):
        """Add new users and items, from their observations. All known ones stay as they are.

        New entities are those whose identifiers have not been seen. Their offsets and factors are
        solved for in closed form, like those of ``'als'``, with everything else fixed. If new
        entities of both kinds occur together, this is repeated five times. Observations of known
        pairs have no effect on the parameters. With ``keep_seen=True`` they count as seen, and in
        later calls of ``partial_fit``.

        Measurements are deleted, because the parameters change. The cost is that of a sweep over
        the given observations, for each repetition.

        Parameters
        ----------
        X : array-like of shape (n_observations, n_kinds)
            Identifiers, as in ``fit``. A matrix may get new rows, but no new columns.
        y : array-like of shape (n_observations,)
            Values.
        sample_weight : array-like of shape (n_observations,), default=None
            Weights, which must not be negative.

        Returns
        -------
        self : FlatMatrixFactorization

        Raises
        ------
        ValueError
            If no identifier is new, or the data are not valid.
        """
        check_is_fitted(self)
        self._validate_params()
        self._check_feedback()
        if y is None:
            raise ValueError("fold_in requires y to be passed, but the target y is None.")
        with all_or_nothing(self):
            self._fold_in(X, y, sample_weight)
        return self

    def _check_feedback(self):
        """Refuse to go on from factors of another feedback."""
        if (self.feedback == "implicit") != self._implicit:
            raise ValueError("To go on from the factors of the fit before, feedback must be equal.")

    def _fold_in(self, X, y, sample_weight):
        tables = self._tables()
        named, places, *given = self._learnt_from(X, y, sample_weight, False, tables)
        codes, values, weight = given
        sizes = [len(identifiers) for identifiers in named["identifiers_"]]
        # Identifiers that only have features are folded in when they get their first observations.
        known = self._rated_before(named["identifiers_"], places)
        new = [there & ~mask for there, mask in zip(touched_by(codes, sizes), known, strict=True)]
        if not any(mask.any() for mask in new):
            raise ValueError("No identifier is new: there is nothing to fold in.")
        named["_seen"] = self._kept((codes, values, weight), sizes, places)
        old, there = self._in_own_unit()
        features = self._side_features(tables, named["identifiers_"], there.dtype, known)
        model = type(old)(sizes, old.n_components, old.fit_offsets, new, features)
        w = np.zeros(model.layout.size, there.dtype)
        model.embed(w, old, there, places)
        batch = self._batch(codes, values.astype(w.dtype, copy=False), weight)
        prior = self._solve_for_touched(model, w, batch)
        attributes = self._attributes(model, w, prior, tables)
        # What is known stays bit for bit, in spite of the conversion of units.
        pairs = [*zip(attributes["factors_"], self.factors_, places, known, strict=True)]
        if self.offsets_ is not None:
            pairs += zip(attributes["offsets_"], self.offsets_, places, known, strict=True)
        for array, before, place, mask in pairs:
            stays = mask[place]
            array[place[stays]] = before[stays]
        self._forget_measurements()
        vars(self).update(named | attributes | {"intercept_": self.intercept_, "_trained": None})

    def _solve_for_touched(self, model, w, batch):
        """Solve for the touched entities, in place; return the prior means, or None."""
        alpha, data = (self.alpha_, float(self.alpha_offsets)), batch
        objective = Objective(model, HalfSquared(), data.X, data.y, data.weight, alpha)
        closed_form = objective.capability(LeastSquares)
        alternation = closed_form.alternation(self._noise, n_jobs=self.n_jobs)
        prior = alternation.prior_means
        if prior and self._implicit:  # factors of 0 are no part of the loss over all pairs
            prior.clear(w)
        with one_thread():
            for _ in range(N_TURNS if all(mask.any() for mask in model.touched) else 1):
                for c in alternation.kinds:
                    alternation.respond(w, c)
        if prior:
            prior.finish(w)
        return prior

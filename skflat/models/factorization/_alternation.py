"""Alternating least squares: the factors of one kind given all others, in closed form.

For one observation let ``s`` be the sum of the other factors, ``t`` the target minus all terms that
do not depend on the entity, and ``v`` the weight. The entity's offset and factors ``(b, u)``
minimise

    sum v [(t - b - s . u)^2 + rho^2 ((C - 1) |u|^2 + 2 (C - 2) s . u)] + alpha |u|^2 + beta b^2

This is a ridge regression, and its ridge is weighted by the number of the entity's observations.
Gaussian noise on all parameters adds the terms with ``rho`` to the expected loss.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise, starmap

import numpy as np

from ..._parallel import in_turn, run
from ...objective import Batch
from ._order import rows_by_code

BUDGET = 1 << 17  # entries of a batch of gathered factors, which then stay in the cache
BLOCK = 1 << 21  # entries of the factors and equations of a block, which is a task for a worker
# Entities of one batch have at least this share of the rows of its longest one. Padding then costs
# at most a quarter of the work.
PADDING = 0.8


def pair(alpha):
    """The penalties of factors and of offsets. A single number is used for both."""
    return alpha if isinstance(alpha, tuple) else (alpha, alpha)


@dataclass(slots=True)
class _Group:
    """Entities with about the same number of rows. They are padded to the same number.

    Attributes
    ----------
    entities : ndarray of shape (n_entities,)
        Codes of the entities.
    codes : list of ndarray of shape (n_entities, length)
        Codes of the other kinds in the rows of each entity. Padding has the code after the last.
    y : ndarray of shape (n_entities, length)
        Targets of the rows.
    weight : ndarray of shape (n_entities, length) or None
        Weights of the rows.
    total : ndarray of shape (n_entities,)
        Sum of the weights of each entity.
    """

    entities: np.ndarray
    codes: list
    y: np.ndarray
    weight: np.ndarray | None
    total: np.ndarray


class Alternation:
    """Sweeps of alternating least squares on the rows of one objective.

    A sweep passes over the rows once for every kind. Time grows with ``n_rows n_components^2`` and
    ``n_entities n_components^3``. Memory grows only with the rows and the parameters, because the
    systems of equations are built and solved in batches.

    Parameters
    ----------
    model : Factorization
    batch : Batch
    alpha : float or pair of float
        Penalty of the sum over the rows, see `Factorization.penalties`.
    rho : float
        Standard deviation of the noise on every parameter.
    kinds : sequence of int, default=None
        The kinds to solve for. None stands for all. Of each kind, only the entities that
        ``model.touched`` marks are solved for, if it is given.
    n_jobs : int, default=None
        Number of workers, as in `run`. They solve for entities of one kind at a time. The blocks of
        entities do not depend on it. Within `one_thread`, the result is the same to the bit.
    """

    budget, block = BUDGET, BLOCK
    #: Whether ``n_steps`` of conjugate gradients may take the place of an exact solution.
    by_steps = False

    def __init__(self, model, batch, alpha, rho, kinds=None, n_jobs=None):
        self.model, self.batch, self.alpha, self.rho = model, batch, pair(alpha), rho
        self.n_jobs = n_jobs
        # The first kind comes last. So its factors are optimal for the final factors of all other
        # kinds, and folding in a known row gives the same factors again.
        kinds = range(model.n_kinds) if kinds is None else kinds
        self.kinds = sorted(kinds, reverse=True)
        self.parts = {c: self._rows_of_touched(c) for c in self.kinds}
        self.groups = {c: _groups(model, self.parts[c], c, self.budget) for c in self.kinds}
        self.prior_means = model.prior(batch)

    def __getstate__(self):
        """What a worker process gets. What else it needs comes with the task."""
        left_out = "batch", "parts", "groups", "counts", "observed", "prior_means"
        return vars(self) | dict.fromkeys(left_out)

    @cached_property
    def counts(self):
        """For every kind, the sums of the weights of each entity's rows in the last part."""
        return self.model.confidences(self.parts[self.kinds[-1]])

    @cached_property
    def observed(self):
        """For every kind, the mask of entities with rows, whether they are solved for or not."""
        pairs = zip(self.batch.X.T, self.model.sizes, strict=True)
        return [np.bincount(codes, minlength=size) > 0 for codes, size in pairs]

    @property
    def n_rows(self):
        """Number of rows that a sweep passes over. Those of every kind count."""
        return sum(len(part) for part in self.parts.values())

    def _rows_of_touched(self, c):
        """The rows of the entities that are solved for."""
        if self.model.touched is None:
            return self.batch
        X, y, weight = self.batch.X, self.batch.y, self.batch.weight
        rows = self.model.touched[c][X[:, c]]
        return Batch(X[rows], y[rows], None if weight is None else weight[rows])

    def sweep(self, w):
        """Solve for every kind in turn, in place; return the expected loss with the penalty.

        The loss is that of the rows of the last kind that are passed over, which are all rows
        unless only some entities are solved for.
        """
        for c in self.kinds:
            squares = self.respond(w, c)
            if self.model.fit_offsets:
                self._center(w, c)
        if self.prior_means:
            self.prior_means.fill(w)
        last = self.parts[self.kinds[-1]]
        loss = squares / (2 * last.total_weight) + self.penalty(w) / (2 * self.batch.total_weight)
        return loss + self.model.noise_loss(w, self.rho, last, self.counts)

    def penalty(self, w):
        """The penalty of the sum over the rows."""
        if self.prior_means:
            return float(self.prior_means.squares(w) @ self.alpha)
        penalties = self.model.penalties(self.alpha)
        return sum(strength * float(w[part] @ w[part]) for part, strength in penalties)

    def learnt(self, loss):
        """What a tolerance is a share of, for an expected loss. Here it is the loss itself."""
        return loss

    def respond(self, w, c):
        """Solve for one kind, in place; return the weighted sum of the squared residuals.

        The sum is computed only for the last kind of a sweep. For all others it is 0.
        """
        intercept, offsets, factors = self.model.split(w)
        # With one kind alone, an array without columns stands for the other factors.
        others = [F for d, F in enumerate(factors) if d != c] or [factors[c][:1]]
        padded = [self._padded(F, first=F is others[0]) for F in others]
        shifts = [np.append(b, b.dtype.type(0)) for d, b in enumerate(offsets or ()) if d != c]
        means = self.prior_means and self.prior_means.learn(w, c)
        squares, is_last = 0.0, c == self.kinds[-1]

        def arguments(group):
            drawn_to = None if means is None else means[group.entities]
            return is_last, drawn_to, intercept, shifts, padded

        for group, (solution, left) in self._answers(c, arguments):
            factors[c][group.entities] = solution[:, : self.model.n_components]
            if offsets:
                offsets[c][group.entities] = solution[:, -1]
            squares += left
        return squares

    def _answers(self, c, arguments):
        """The groups of a kind, each with its answer.

        ``arguments`` maps a group to the arguments of `answer` after the group.
        """
        blocks = _blocks(self.groups[c], self.model.n_components + 1, self.block)
        errors = np.geterr()
        tasks = (
            (self, [(group, *arguments(group)) for group in block], errors) for block in blocks
        )
        if in_turn(self.n_jobs) or len(blocks) == 1:
            found = starmap(_answers_of_block, tasks)
        else:
            found = run(_answers_of_block, tasks, self.n_jobs, prefer="threads")
        return zip(chain(*blocks), chain.from_iterable(found), strict=True)

    def answer(self, group, is_last, means, *arrays):
        """The optimal factors of a group's entities, and the weighted sum of squared residuals.

        The sum is 0 if the kind is not the last one.
        """
        parts = self._parts(group, *arrays)
        solution = self._solve(group, parts, means)
        return solution, self._squares_left(parts, solution) if is_last else 0.0

    def _padded(self, F, first):
        """Factors with a last row of zeros for padding, and a column for the offset.

        The column has ones in the ``first`` kind only, so it is 1 in the sum over the kinds.
        """
        wide = np.zeros((len(F) + 1, F.shape[1] + self.model.fit_offsets), F.dtype)
        wide[:-1, : F.shape[1]] = F
        if self.model.fit_offsets and first:
            wide[:-1, -1] = 1
        return wide

    def _parts(self, group, *arrays):
        """A function that returns an iterable over a group's regressions, in parts of limited size.

        The parts are needed twice, for the equations and for the residuals. A single part is kept;
        several are computed again, which saves memory.
        """
        n_entities, length = group.y.shape
        size = arrays[-1][0].shape[1]
        step = max(1, self.budget // (size * n_entities))
        if step >= length:
            whole = [self._regression(group, slice(None), *arrays)]
            return lambda: whole
        starts = range(0, length, step)
        return lambda: (self._regression(group, slice(i, i + step), *arrays) for i in starts)

    def _solve(self, group, parts, means=None):
        """The optimal factors of a group's entities, with offsets as a last column.

        ``means`` are what the penalties draw them to. None stands for 0.
        """
        k = self.model.n_components
        A, b = self._equations(parts)
        diagonal, noise = diagonal_of(A), self._noise_ridge(group)
        # A penalty above what the dtype can hold makes the factors 0 as well.
        alpha, alpha_offsets = np.minimum(self.alpha, np.sqrt(np.finfo(A.dtype).max))
        diagonal[:, :k] += (alpha + noise)[:, None]
        rounding = A.shape[1] * np.finfo(A.dtype).eps
        # A ridge on the factors alone makes the system regular, because the column of the offset
        # consists of ones.
        singular = alpha + noise.min() <= rounding * diagonal.max()
        diagonal[:, k:] += alpha_offsets
        if means is not None:
            b[:, :k, 0] += alpha * means[:, :k]
            b[:, k:, 0] += alpha_offsets * means[:, k:]
        if singular:
            # Singular up to rounding: take the solution of minimum norm.
            return (np.linalg.pinv(A, rounding, hermitian=True) @ b)[:, :, 0]
        return np.linalg.solve(A, b)[:, :, 0]

    def _equations(self, parts):
        """The normal equations of all entities of a group, by batched products."""
        A, b, n_more = 0.0, 0.0, self.model.n_kinds - 2
        for S, t, weight in parts():
            weighted = (S if weight is None else S * weight[:, :, None]).transpose(0, 2, 1)
            A, b = A + weighted @ S, b + weighted @ t
            if n_more > 0:  # the linear term of the noise, see the top of the file
                k = self.model.n_components
                b[:, :k, 0] -= self.rho**2 * n_more * weighted[:, :k].sum(axis=2)
        return A, b

    def _noise_ridge(self, group):
        """The ridge on each entity's factors by which noise raises the expected loss."""
        return self.rho**2 * group.total * (self.model.n_kinds - 1)

    def _squares_left(self, parts, solution):
        total = 0.0
        for S, t, weight in parts():
            r = t[:, :, 0] - np.einsum("blk,bk->bl", S, solution)
            if self.model.fit_offsets:
                r *= S[:, :, -1]  # 0 for padding
            total += float(np.vdot(r, r if weight is None else r * weight))
        return total

    def _regression(self, group, part, intercept, shifts, padded):
        """Sums of the other factors, targets and weights of a group's rows, or of a part of them.

        The targets are reduced by all terms that do not depend on the entity.
        """
        codes = [each[:, part] for each in group.codes]
        rows = [F.take(each, axis=0) for F, each in zip(padded, codes, strict=False)]
        S = rows[0] if len(rows) == 1 else sum(rows)
        t = group.y[:, part] if intercept is None else group.y[:, part] - intercept
        for b, each in zip(shifts, codes, strict=False):  # one kind alone has no shifts
            t -= b.take(each)
        if len(rows) > 1:
            # Subtract the inner products of the other kinds with each other. Half of |sum|^2 minus
            # the sum of squares gives all pairs at once.
            k = self.model.n_components
            squares = sum(np.einsum("blk,blk->bl", row[:, :, :k], row[:, :, :k]) for row in rows)
            t = t - (np.einsum("blk,blk->bl", S[:, :, :k], S[:, :, :k]) - squares) / 2
        return S, t[:, :, None], None if group.weight is None else group.weight[:, part]

    def _center(self, w, c):
        """Move the mean of the offsets to the intercept, in place.

        No score changes. The penalty never rises, because the intercept is not penalised.
        """
        intercept, offsets, _ = self.model.split(w)
        b, observed = offsets[c], self.observed[c]
        prior = self.prior_means
        mean = (prior.deviations(w, c)[:, -1] if prior else b[observed]).mean()
        b[observed] -= mean
        intercept += mean


def _answers_of_block(alternation, calls, errors):
    with np.errstate(**errors):  # those of the caller, which other threads do not have
        return [alternation.answer(*call) for call in calls]


def _blocks(groups, size, budget):
    """Consecutive groups, of about the same work together."""
    # The products take as many entries as there are gathered factors, and the equations one matrix
    # an entity.
    work = np.cumsum([group.y.size + len(group.entities) * size for group in groups]) * size
    ends = np.searchsorted(work, np.arange(budget, work[-1], budget)) if len(groups) else []
    bounds = np.unique([0, *ends, len(groups)])
    return [groups[i:j] for i, j in pairwise(bounds)]


def diagonal_of(matrices):
    """A view of the diagonals of some square matrices, so that a ridge is added in place."""
    return matrices.reshape(len(matrices), -1)[:, :: matrices.shape[1] + 1]


def _groups(model, batch, c, budget):
    """The rows of a batch by entity of one kind. Entities of similar length form a group."""
    column = batch.X[:, c]
    order = rows_by_code(column, model.sizes[c])
    counts = np.bincount(column, minlength=model.sizes[c])
    starts = np.cumsum(counts) - counts
    by_length = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    lengths = counts[by_length]
    size, groups, start = model.n_components + 1, [], 0
    while start < len(by_length):
        longest = lengths[start]
        stop = start + max(1, budget // (longest * size))
        stop = min(stop, np.searchsorted(-lengths, -PADDING * longest, side="right"))
        entities = by_length[start:stop]
        place = starts[entities][:, None] + np.arange(longest)
        is_padding = np.arange(longest) >= counts[entities][:, None]
        rows = order[np.where(is_padding, 0, place)]
        groups.append(_group(model, batch, c, entities, rows, is_padding))
        start = stop
    return groups


def _group(model, batch, c, entities, rows, is_padding):
    """The group of some entities, from the numbers of their rows. Padding may have any number."""
    y = batch.y[:, 0]
    others = [d for d in range(len(model.sizes)) if d != c]
    codes = [np.where(is_padding, model.sizes[d], batch.X[:, d][rows]) for d in others]
    if not others:  # one kind alone still needs a column that distinguishes rows from padding
        codes = [is_padding]
    weight = None
    if batch.weight is not None:
        weight = np.where(is_padding, 0, batch.weight[rows]).astype(y.dtype)
    total = np.count_nonzero(~is_padding, axis=1).astype(y.dtype)
    return _Group(
        entities,
        [each.astype(np.int32) for each in codes],
        np.where(is_padding, y.dtype.type(0), y[rows]),
        weight,
        total if weight is None else weight.sum(axis=1),
    )

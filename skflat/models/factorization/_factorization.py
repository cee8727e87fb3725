"""Factorization of a matrix, or of several that share their factors, from observed entries.

A row of ``X`` names one entity of each of ``C`` kinds by whole numbers (a user and an item; a user,
an item and a week). Every entity has an offset ``b`` and factors ``u``. The score of a row is

    m + sum_c b_c + sum_{c < d} u_c . u_d

For two kinds this is one entry of ``X Y'`` plus offsets. The score is affine in the parameters of
any one kind. So the diagonal of the Hessian contains no second derivative of the score, and the
mean loss under Gaussian noise on all parameters has a closed form.
"""

import numpy as np
from scipy import sparse

from ...objective import Layout, Model, row_scale
from .._symmetry import Symmetry
from ._alternation import Alternation, pair
from ._capabilities import CAPABILITIES
from ._order import sums_by_code, taken_off
from ._symmetry import FactorMaps

N_TURNS = 5  # how often the initial offsets of every kind are fitted


class Factorization(Model):
    """Offsets, and inner products of the factors of every pair of kinds.

    Parameters
    ----------
    sizes : sequence of int
        Number of entities of every kind.
    n_components : int
        Length of the factors. One kind alone has no pairs, so the length is then 0.
    fit_offsets : bool, default=True
        Whether there are an intercept and offsets.
    touched : list of ndarray of bool of shape (n_entities,), default=None
        For every kind, the entities that alternating least squares solves for. None stands for all.
    features : SideFeatures, default=None
        What alternating least squares draws the factors of described entities to.
    """

    capabilities = CAPABILITIES
    #: What the parameters are called.
    units = "factors"
    #: Rows at a time. The number is large, because each chunk passes over all parameters.
    chunk = 1 << 17
    #: What sweeps over the kinds of entities.
    alternates = Alternation
    #: How many of the first kinds have factors. The others have only offsets. None stands for all.
    with_factors = None
    #: So batches minimise the same ridge as the closed form does.
    penalized_by_batch = False

    def __init__(self, sizes, n_components, fit_offsets=True, touched=None, features=None):
        self.sizes = [int(size) for size in sizes]
        self.n_kinds = len(self.sizes[: self.with_factors])
        if self.n_kinds == 1 and not fit_offsets:
            raise ValueError("With one column of identifiers there is nothing but offsets to fit.")
        self.n_components = n_components if self.n_kinds > 1 else 0
        self.fit_offsets = fit_offsets
        self.touched = touched
        self.features = features
        shapes = {}
        if fit_offsets:
            shapes["intercept"] = (1,)
            shapes |= {f"offsets_{c}": (size,) for c, size in enumerate(self.sizes)}
        with_factors = enumerate(self.sizes[: self.n_kinds])
        shapes |= {f"factors_{c}": (size, self.n_components) for c, size in with_factors}
        self.layout = Layout(shapes)
        self.n_affine = fit_offsets * (1 + sum(self.sizes))

    def prior(self, batch):
        """The prior means for a fit to the rows of a batch, a `LinearPrior`, or None."""
        return self.features and self.features.prior(self, batch)

    @property
    def symmetry(self):
        """That of two factors; of more kinds only permutations and rotations are known."""
        return FactorMaps(self) if self.n_kinds == 2 else Symmetry(self)

    def penalties(self, alpha):
        """The slices of factors and of offsets, with the strengths of their penalties.

        There are two strengths, because factors and offsets have different units. One number stands
        for both. The intercept is not penalised.
        """
        alpha, alpha_offsets = pair(alpha)
        offsets = slice(min(1, self.n_affine), self.n_affine)
        return [(slice(self.n_affine, None), alpha), (offsets, alpha_offsets)]

    def init(self, rng, batch):
        """The mean as intercept, fitted offsets, and random factors of observed entities.

        The inner products start at about a tenth of the deviation of the residuals of the offsets.
        The factors of entities without observations are 0.
        """
        w = np.zeros(self.layout.size, batch.y.dtype)
        intercept, offsets, factors = self.split(w)
        rest = batch.y[:, 0].copy()
        if self.fit_offsets:
            intercept[...] = batch.mean(rest)
            rest -= intercept
        counts = self.confidences(batch)
        for c, b in list(enumerate(offsets or ()))[: self.n_kinds] * N_TURNS:
            # The means as if every entity had one more value of 0.
            sums = sums_by_code(batch.X[:, c], rest, batch.weight, len(b))
            step = sums / (counts[c] + 1)
            b += step
            taken_off(rest, step, batch.X[:, c])
        # An inner product of factors with deviation s has the deviation s^2 sqrt(n_components).
        spread = np.sqrt(batch.mean(rest**2)) or 1.0
        scale = np.sqrt(0.1 * spread) / max(1, self.n_components) ** 0.25
        for c, F in enumerate(factors):
            F[...] = scale * rng.standard_normal(F.shape)
            F[counts[c] == 0] = 0
        return w

    def split(self, w):
        """Views of the intercept, of all offsets and of all factors.

        Intercept and offsets are None if the model has none.
        """
        views = self.layout.views(w)
        factors = [views[f"factors_{c}"] for c in range(self.n_kinds)]
        if not self.fit_offsets:
            return None, None, factors
        offsets = [views[f"offsets_{c}"] for c in range(len(self.sizes))]
        return views["intercept"], offsets, factors

    def join(self, intercept, offsets, factors):
        """One flat vector, a copy, from the parts that `split` returns."""
        parts = [np.ravel(F) for F in factors]
        if self.fit_offsets:
            parts = [np.ravel(intercept), *offsets, *parts]
        return np.concatenate(parts, dtype=factors[0].dtype)

    def embed(self, w, smaller, there, places):
        """Copy the parameters ``there`` of a smaller model into ``w``, the vector of this model.

        ``places`` holds for every kind the positions of its entities among the entities here.
        """
        intercept, offsets, factors = self.split(w)
        its_intercept, its_offsets, its_factors = smaller.split(there)
        for c, place in enumerate(places):
            if c < self.n_kinds:
                factors[c][place] = its_factors[c]
            if self.fit_offsets:
                offsets[c][place] = its_offsets[c]
        if self.fit_offsets:
            intercept[...] = its_intercept

    def of_width(self, n_components):
        """The same model with factors of another length."""
        return type(self)(self.sizes, n_components, self.fit_offsets)

    def holding(self, w):
        """This model if ``w`` is its vector; else one with factors as long as those in ``w``."""
        if len(w) == self.layout.size:
            return self
        return self.of_width((len(w) - self.n_affine) // sum(self.sizes[: self.n_kinds]))

    def in_unit(self, w, unit):
        """A new vector of parameters, whose scores are ``unit`` times as large.

        A product of two factors has the unit of one offset. So factors grow with the root.
        """
        out = w * float(np.sqrt(unit))
        out[: self.n_affine] = w[: self.n_affine] * float(unit)
        return out

    def sizes_with_one_more(self):
        """Numbers of entities with one more of every kind that has factors."""
        return [size + 1 for size in self.sizes]

    def padded(self, w):
        """A model with one more entity of every kind, whose parameters are 0, and its flat vector.

        The code -1 then stands for an unknown entity.
        """
        wider = type(self)(self.sizes_with_one_more(), self.n_components, self.fit_offsets)
        out = np.zeros(wider.layout.size, w.dtype)
        wider.embed(out, self, w, [slice(size) for size in self.sizes])
        return wider, out

    def folded_in(self, w, batch, alpha, rho, n_rows, n_jobs=None):
        """A model with new entities of the first kind, which are fitted to their observations.

        All other kinds stay fixed.

        Returns
        -------
        model : Factorization
            The model with ``n_rows`` entities of the first kind.
        w : ndarray
            Its flat vector. Entities of the first kind without observations have parameters 0.
        """
        model = type(self)([n_rows, *self.sizes[1:]], self.n_components, self.fit_offsets)
        out, known = np.zeros(model.layout.size, w.dtype), self.layout.views(w)
        for name, array in model.layout.views(out).items():
            if not name.endswith("_0"):
                array[...] = known[name]
        self.alternates(model, batch, alpha, rho, kinds=[0], n_jobs=n_jobs).respond(out, 0)
        return model, out

    def entries(self, codes):
        """The codes of all kinds for entries with some codes of the kinds that have factors."""
        return codes

    # --- scores ---

    def forward(self, params, X):
        total, squares, score = 0.0, 0.0, 0.0
        for c in range(self.n_kinds):
            rows = params[f"factors_{c}"][X[:, c]]
            total, squares = total + rows, squares + (rows**2).sum(axis=1)
        # |sum|^2 minus the sum of squares is twice the sum over all pairs.
        score = score + ((total**2).sum(axis=1) - squares) / 2
        if self.fit_offsets:
            offsets = (params[f"offsets_{c}"][X[:, c]] for c in range(len(self.sizes)))
            score = sum(offsets, start=score + params["intercept"][0])
        return score[:, None]

    def scores(self, w, X, work=None):
        return self.scores_of(w, X, self.rows(w, X))[:, None]

    def rows(self, w, X):
        """Factors of the entities that each row names. There is one array per kind."""
        return [F.take(X[:, c], axis=0) for c, F in enumerate(self.split(w)[2])]

    def scores_of(self, w, X, rows):
        """Scores from the factors of the entities that each row names, shape (n_rows,)."""
        intercept, offsets, _ = self.split(w)
        score = np.zeros(len(X), w.dtype) if intercept is None else np.repeat(intercept, len(X))
        for c, b in enumerate(offsets or ()):
            score += b.take(X[:, c])
        # Each kind is multiplied with the sum of all kinds before it. This gives every pair once.
        for c in range(1, len(rows)):
            score += np.einsum("ik,ik->i", sum(rows[1:c], start=rows[0]), rows[c])
        return score

    # --- derivatives ---

    def loss_gradient(self, loss, w, batch, out, work, reported=False):
        rows = self.rows(w, batch.X)
        F = self.scores_of(w, batch.X, rows)[:, None]
        losses = None if reported else loss.per_sample(F, batch.y)  # ``predict`` overwrites F
        P = loss.predict(F)
        value = batch.mean(loss.as_reported(P, batch.y) if reported else losses)
        residual = loss.residual(P, batch.y)
        residual *= row_scale(batch, w.dtype)
        self.pull_back(residual[:, 0], others_of(rows), batch.X, out)
        return value

    def linearized(self, loss, w, batch, work):
        X, scale, rows = batch.X, row_scale(batch, w.dtype), self.rows(w, batch.X)
        P = loss.predict(self.scores_of(w, X, rows)[:, None])
        curvature = (loss.curvature(P) * scale)[:, 0]
        residual = (loss.residual(P, batch.y) * scale)[:, 0]
        others = others_of(rows)

        def product(v):
            moved = self.rows(v, X)
            change = self.scores_of(v, X, [np.zeros_like(row) for row in rows])
            for move, other in zip(moved, others, strict=True):
                change += np.einsum("ik,ik->i", move, other)
            # First the Gauss-Newton part, then the second derivative of the score. The latter
            # couples only factors of different kinds, so the offsets do not occur in it.
            out = np.empty_like(w)
            self.pull_back(curvature * change, others, X, out)
            bent = np.empty_like(w)
            self.pull_back(residual, others_of(moved), X, bent, affine=False)
            out += bent
            return out

        return product

    def pull_back(self, values, others, X, out, affine=True):
        """Write the sum over the rows of ``values`` times the scores' gradients into ``out``.

        ``others`` are the gradients of the scores in the factors. Without ``affine`` the gradients
        in intercept and offsets are 0.
        """
        intercept, offsets, factors = self.split(out)
        if self.fit_offsets:
            intercept[...] = values.sum() if affine else 0
        for c, F in enumerate(factors):
            spread = _spread(values, X[:, c], len(F))
            F[...] = spread @ others[c]
            if self.fit_offsets:
                offsets[c][...] = spread.sum(axis=1) if affine else 0
        for c in range(self.n_kinds, len(offsets or ())):  # kinds that have offsets only
            offsets[c][...] = np.bincount(X[:, c], values, len(offsets[c])) if affine else 0

    def squared_gradients(self, loss, w, batch, work):
        rows = self.rows(w, batch.X)
        P = loss.predict(self.scores_of(w, batch.X, rows)[:, None])
        squares = self.squares(rows).sum(axis=1)
        return loss.residual(P, batch.y)[:, 0] ** 2 * squares

    def squares(self, rows):
        """Squared norm of the gradient of every row's score.

        The first column is for intercept and offsets together. Then there is one per kind.
        """
        affine = np.full(len(rows[0]), (1 + len(self.sizes)) * self.fit_offsets, rows[0].dtype)
        squares = [np.einsum("ik,ik->i", other, other) for other in others_of(rows)]
        return np.column_stack([affine, *squares])

    def mean_trace(self, w, batch, counts=None):
        """Mean trace of the Hessian of half the squared error.

        For two kinds it needs only the number of observations of every entity, and no pass over
        the rows. ``counts`` are the `confidences` of the batch, if they are known.
        """
        # The sum over kinds of |sum of the others|^2 is (C - 2) |total|^2 + sum |u|^2.
        trace = (1 + len(self.sizes)) * self.fit_offsets
        counts = self.confidences(batch) if counts is None else counts
        for n, F in zip(counts, self.split(w)[2], strict=True):
            trace += float(n @ np.einsum("ik,ik->i", F, F)) / batch.total_weight
        if self.n_kinds > 2:
            for share, piece in batch.shares(self.chunk):
                total = sum(self.rows(w, piece.X))
                trace += (self.n_kinds - 2) * share * piece.mean((total**2).sum(axis=1))
        return trace

    def confidences(self, batch):
        """For every kind, the sums of the weights of each entity's rows."""
        return [
            np.bincount(batch.X[:, c], batch.weight, minlength=size)
            for c, size in enumerate(self.sizes[: self.n_kinds])
        ]

    def noise_loss(self, w, rho, batch, counts=None):
        """The increase of the mean loss by noise of standard deviation ``rho`` on every parameter.

        For half the squared error this is exactly ``rho^2 / 2`` times the mean trace of the
        Hessian, plus ``rho^4 n_components / 2`` for each pair of kinds. The latter comes from the
        products of two noises.
        """
        # ``rho * rho`` overflows to inf, where ``rho**2`` would raise an error.
        n_pairs, variance = self.n_kinds * (self.n_kinds - 1) // 2, rho * rho
        trace = self.mean_trace(w, batch, counts)
        return 0.5 * variance * (trace + n_pairs * self.n_components * variance)


def others_of(rows):
    """For every kind, the sum of the rows of all other kinds."""
    if len(rows) == 2:
        return rows[::-1]
    total = sum(rows)
    return [total - row for row in rows]


def _spread(values, codes, size):
    """The sparse matrix that adds the rows of an array, times ``values``, by entity."""
    # A sparse product is much faster than ``np.add.at``.
    indptr = np.arange(len(codes) + 1)
    return sparse.csc_array((values, codes, indptr), shape=(size, len(codes)))

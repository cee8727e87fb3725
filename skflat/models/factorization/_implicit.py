"""Factorization of preferences that are known from counts: every pair without a count is a 0.

A pair of a user and an item has the preference ``p``, which is 1 if its count ``r`` is positive and
0 if not, and the confidence ``w = 1 + c r``. With ``s = x . y`` the loss is the weighted mean

    sum w (p - s)^2 / (2 V),    V = sum w

over all pairs (Hu, Koren and Volinsky, 2008, "Collaborative filtering for implicit feedback
datasets"). Let all factors have independent noise of standard deviation ``rho``. Then ``s`` has the
mean ``x . y``, because the noises of ``x`` and ``y`` are independent, and the variance
``rho^2 (|x|^2 + |y|^2) + k rho^4`` for ``k`` components. So the expected loss is the loss plus

    [rho^2 (sum_x W_x |x|^2 + sum_y W_y |y|^2) + k rho^4 V] / (2 V)

where ``W`` is the sum of the confidences of all pairs of a user or an item. For a user it is the
number of items plus ``c`` times the sum of the user's counts. The first term is ``rho^2 / 2`` times
the trace of the loss's Hessian.

The sum of ``s^2`` over all pairs is the sum of the entries of ``X'X * Y'Y``. So no sum over pairs
without counts is ever needed. ``e = c r`` is the excess of the confidence.
"""

import numpy as np
from scipy.linalg import get_lapack_funcs

from ...objective import LeastSquares
from ._alternation import BUDGET, Alternation
from ._capabilities import CAPABILITIES
from ._factorization import Factorization


class ImplicitAlternation(Alternation):
    """Sweeps of alternating least squares on preferences.

    The targets of the batch are the excesses of the confidences. Every pair occurs once. The flat
    vector must be the same one in every call, because its Gram matrices are kept.

    Parameters
    ----------
    model, batch, alpha, rho, kinds, n_jobs
        As in `Alternation`.
    n_steps : int, default=None
        Number of steps of conjugate gradients for every entity and sweep. None solves exactly, by
        Cholesky's decomposition.
    """

    by_steps = True

    def __init__(self, model, batch, alpha, rho, kinds=None, n_jobs=None, n_steps=None):
        # Conjugate gradients need only the gathered factors, and no second array of that size.
        self.budget = BUDGET if n_steps is None else 2 * BUDGET
        super().__init__(model, batch, alpha, rho, kinds, n_jobs)
        self.n_steps, self.grams = n_steps, {}
        self.confidences, self.total = model.confidences(batch), model.total_confidence(batch)
        self._rest_of_zero = float(batch.y.sum(dtype=float)) + len(batch)

    def sweep(self, w):
        for c in self.kinds:
            rest = self.respond(w, c)
        if self.model.touched is not None:  # pairs of the others are part of the loss, too
            rest = self.model.rest_of_pairs(w, self.batch)
        norms = [np.einsum("ik,ik->i", F, F) for F in self.model.split(w)[2]]
        trace = sum(float(W @ n) for W, n in zip(self.confidences, norms, strict=True))
        squares = float(np.vdot(self.grams[0], self.grams[1])) + rest
        return self._expected_loss(squares, self.penalty(w), trace)

    def learnt(self, loss):
        """What a tolerance is a share of: how much less the loss is than with factors of 0.

        Most of the loss is there with any factors, so a share of it would be far too much.
        """
        zero = self._expected_loss(self._rest_of_zero, 0.0, 0.0)
        return max(zero - loss, np.finfo(self.batch.y.dtype).eps * zero)

    def respond(self, w, c):
        """Solve for one kind, in place; return what the counts contribute to the weighted squares.

        This is the sum of ``e (1 - s)^2 - 2 s + 1`` over the pairs with counts. It is computed only
        for the last kind of a sweep. For all others it is 0.
        """
        factors = self.model.split(w)[2]
        F, others = factors[c], factors[1 - c]
        gram = self.grams[1 - c] if 1 - c in self.grams else others.T @ others
        padded, rest, is_last = self._padded(others, first=False), 0.0, c == self.kinds[-1]
        means = self.prior_means and self.prior_means.learn(w, c)

        def arguments(group):
            pull = None if means is None else self.alpha[0] * means[group.entities]
            return F[group.entities], pull, is_last, gram, padded

        for group, (solution, left) in self._answers(c, arguments):
            F[group.entities] = solution
            rest += left
        self.grams |= {c: F.T @ F, 1 - c: gram}
        return rest + len(self.parts[c])

    def answer(self, group, x, pull, is_last, gram, padded):
        """The factors of a group's entities, from those before, and its share of the squares."""
        S, excess = padded.take(group.codes[0], axis=0), group.y
        ridge = self.alpha[0] + self.rho**2 * (len(padded) - 1 + excess.sum(axis=1))
        system = _System(gram, S, excess, ridge.astype(x.dtype), pull)
        x = self._solved(system, x)
        if not is_last:
            return x, 0.0
        s = system.scores(x)
        return x, float(np.vdot(excess, (1 - s) ** 2)) - 2 * float(s.sum())

    def _solved(self, system, x):
        """The factors of several entities, from those before."""
        if self.n_steps is None:
            return by_cholesky(system, x)
        return by_conjugate_gradients(system, x, self.n_steps)

    def _expected_loss(self, squares, penalty, trace):
        """The expected loss from sums over all pairs: squares, penalty and trace."""
        k, variance = self.model.n_components, self.rho * self.rho
        return (squares + penalty + variance * (trace + k * variance * self.total)) / (
            2 * self.total
        )


class _System:
    """The equations ``(G + S' diag(e) S + ridge) x = S' (1 + e) + pull`` of several entities.

    ``pull`` is the penalty times the prior means of the factors. None stands for 0.
    """

    def __init__(self, gram, S, excess, ridge, pull=None):
        self.gram, self.S, self.excess, self.ridge, self.pull = gram, S, excess, ridge, pull

    def right(self):
        """The right side."""
        b = self.summed(1 + self.excess)
        return b if self.pull is None else b + self.pull

    def common(self, x):
        """The part of the left side that does not depend on the rows."""
        out = x @ self.gram
        out += self.ridge[:, None] * x
        return out

    def scores(self, x):
        return np.matmul(self.S, x[:, :, None])[:, :, 0]

    def summed(self, values):
        return np.matmul(values[:, None, :], self.S)[:, 0]


def by_cholesky(system, x):
    """The exact solution. The start ``x`` is overwritten and does not matter."""
    A = (system.S * system.excess[:, :, None]).transpose(0, 2, 1) @ system.S
    A += system.gram
    A.reshape(len(A), -1)[:, :: A.shape[1] + 1] += system.ridge[:, None]
    b = system.right()
    (posv,) = get_lapack_funcs(("posv",), (A, b))
    for each, right, out in zip(A, b, x, strict=True):
        _, out[:], failed = posv(each.T, right)
        if failed:  # singular without any ridge: take the solution of minimum norm
            out[:] = np.linalg.lstsq(each, right)[0]
    return x


def by_conjugate_gradients(system, x, n_steps):
    """A solution by some steps of conjugate gradients from ``x``, in place."""
    excess, least = system.excess, np.finfo(x.dtype).tiny
    r = system.summed(1 + excess - excess * system.scores(x))
    if system.pull is not None:
        r += system.pull
    r -= system.common(x)
    p, size = r, np.vecdot(r, r)
    for steps_left in reversed(range(n_steps)):
        change, Ap = system.scores(p), system.common(p)
        weighted = excess * change
        # Where a size is 0 there is nothing left to reduce, and the quotient is 0.
        curvature = np.vecdot(weighted, change) + np.vecdot(p, Ap)
        step = (size / np.maximum(curvature, least))[:, None]
        x += step * p
        if steps_left:  # the last step needs no new direction
            Ap += system.summed(weighted)
            r = r - step * Ap
            before, size = size, np.vecdot(r, r)
            p = r + (size / np.maximum(before, least))[:, None] * p
    return x


class ImplicitFactorization(Factorization):
    """Products of two factors, fitted to preferences of all pairs.

    Rows are the pairs with positive counts. Their targets are the excesses of the confidences.

    Parameters
    ----------
    sizes : sequence of two int
    n_components : int
    fit_offsets : bool, default=False
        Offsets are not defined for preferences.
    touched, features : default=None
        As in `Factorization`.
    """

    # The others are for losses that are a mean over the rows alone.
    capabilities = {LeastSquares: CAPABILITIES[LeastSquares]}
    alternates = ImplicitAlternation

    def __init__(self, sizes, n_components, fit_offsets=False, touched=None, features=None):
        super().__init__(sizes, n_components, False, touched, features)

    def init(self, rng, batch):
        """Random factors whose products have about the size of the mean preference."""
        w = np.zeros(self.layout.size, batch.y.dtype)
        mean = len(batch) / (self.sizes[0] * self.sizes[1])
        for c, F in enumerate(self.split(w)[2]):
            # A product of factors with deviation s has the deviation s^2 sqrt(n_components).
            F[...] = rng.standard_normal(F.shape) * np.sqrt(mean) / self.n_components**0.25
            F[np.bincount(batch.X[:, c], minlength=len(F)) == 0] = 0
        return w

    def squares_of_all(self, w):
        """The sum of the squared scores of all pairs."""
        X, Y = self.split(w)[2]
        return float(np.vdot(X.T @ X, Y.T @ Y))

    def confidences(self, batch):
        """For every kind, the sums of the confidences of all pairs of each entity."""
        excess = batch.y[:, 0]
        return [
            self.sizes[1 - c] + np.bincount(batch.X[:, c], excess, minlength=self.sizes[c])
            for c in (0, 1)
        ]

    def total_confidence(self, batch):
        """The sum of the confidences of all pairs."""
        return float(self.sizes[0] * self.sizes[1] + batch.y.sum(dtype=float))

    def mean_trace(self, w, batch):
        """Trace of the Hessian of the mean loss over all pairs."""
        pairs = zip(self.confidences(batch), self.split(w)[2], strict=True)
        trace = sum(float(W @ np.einsum("ik,ik->i", F, F)) for W, F in pairs)
        return trace / self.total_confidence(batch)

    def preference_loss(self, w, batch):
        """Mean loss over all pairs, without noise and penalty."""
        squares = self.squares_of_all(w) + self.rest_of_pairs(w, batch)
        return squares / (2 * self.total_confidence(batch))

    def constant_losses(self, batch):
        """Mean loss over all pairs if every score is 0, and if it is the best constant."""
        # The best constant is the weighted mean of the preferences.
        mean = (len(batch) + float(batch.y.sum(dtype=float))) / self.total_confidence(batch)
        return mean / 2, mean * (1 - mean) / 2

    def rest_of_pairs(self, w, batch):
        """The sum of ``e (1 - s)^2 - 2 s + 1`` over the pairs with counts.

        With the squared scores of all pairs it is the weighted sum of squares.
        """
        rest, step = 0.0, min(self.chunk, max(1, BUDGET // self.n_components))
        for start in range(0, len(batch), step):
            part = slice(start, start + step)
            excess, s = batch.y[part, 0], self.scores(w, batch.X[part])[:, 0]
            rest += float(excess @ (1 - s) ** 2) + float((1 - 2 * s).sum())
        return rest

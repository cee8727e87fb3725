"""Draws of all factors from their posterior: alternating least squares on perturbed targets.

Observations have normal noise of variance ``s2``. The factors and the offset of an entity, together
``z``, are normal with mean ``mu`` and precision ``L``, which all entities of a kind share. These
two and ``s2`` are drawn as well, so there is no penalty to choose. With all other kinds fixed,
``z`` is normal. Its mean solves a ridge regression, and so does a draw of it: with noise of
variance ``s2`` on the targets, and noise of precision ``L`` on the prior mean. So a draw of all
parameters costs what a sweep of alternating least squares costs.
"""

import numpy as np
from scipy.stats import wishart

from ._alternation import Alternation, diagonal_of
from ._balance import balance


class GibbsSweeps(Alternation):
    """Sweeps that draw the parameters of one kind after the other from their posterior.

    Parameters
    ----------
    model : Factorization
    batch : Batch
    rho : float
        Standard deviation of the noise on every parameter under which the loss is expected.
    seed : int
        Of all draws. A draw depends on its entity and not on the order of computation.
    n_jobs : int, default=None
        As in `Alternation`.
    """

    def __init__(self, model, batch, rho, seed, n_jobs=None):
        super().__init__(model, batch, 0.0, rho, n_jobs=n_jobs)
        self.seed, self.turn, self.variance = seed, 0, 1.0
        self.kept = []

    def __getstate__(self):
        return super().__getstate__() | {"kept": None}

    def sweep(self, w):
        """Draw every kind in turn, in place, then the noise; return the mean loss of the draw."""
        for c in self.kinds:
            self.turn += 1
            rng = np.random.default_rng([self.seed, self.turn])
            self.prior = draw_prior(self._points(w, c), rng)
            squares = self.respond(w, c)
        total = self.batch.total_weight
        # With less noise the equations cannot be solved in the precision of the targets.
        least = np.sqrt(np.finfo(w.dtype).eps)
        # The prior is one more observation, without a residual. With no prior, the noise of very
        # few observations would be unbounded.
        self.variance = max(squares / (2 * rng.gamma((total + 1) / 2)), least)
        return squares / (2 * total)

    def keep(self, w):
        """Keep the present draw for the mean."""
        w = self._settled(w)
        pairs = zip(self.model.split(w)[2], self.observed, strict=True)
        size = np.mean([np.mean(F[seen] ** 2) for F, seen in pairs if F.size] or 1)
        # All factors are 0 if there is one entity.
        self.kept.append((w, self.variance / max(float(size), np.finfo(w.dtype).eps)))

    def mean(self):
        """One flat vector with the mean scores of the draws kept, and the ridge of their prior.

        The vector has the factors of all draws side by side, see `Factorization.holding`. The ridge
        is the noise over the mean square of the factors.
        """
        draws, ridges = zip(*self.kept, strict=True)
        parts = [self.model.split(w) for w in draws]
        intercepts, offsets, factors = zip(*parts, strict=True)
        root = float(np.sqrt(len(draws)))  # a float keeps single precision
        factors = [np.hstack(each) / root for each in zip(*factors, strict=True)]
        if self.model.fit_offsets:
            offsets = [np.mean(each, axis=0) for each in zip(*offsets, strict=True)]
            intercepts = np.mean(intercepts)
        wider = self.model.of_width(len(draws) * self.model.n_components)
        return wider.join(intercepts, offsets, factors), float(np.mean(ridges))

    def _settled(self, w):
        """A copy with the same scores, and with factors of one distribution.

        If there are offsets, their means are 0. So entities that are added later start from what
        all others have in common. If there are two kinds, their mean squares are equal. So one
        ridge is right for both.
        """
        w = w.copy()
        _, offsets, factors = self.model.split(w)
        for c in range(len(offsets or ())):
            seen = self.observed[c]
            common = factors[c][seen].mean(axis=0)
            factors[c][seen] -= common
            for d, others in enumerate(factors):
                if d != c:
                    offsets[d] += others @ common
        for c in range(len(offsets or ())):
            self._center(w, c)
        if self.model.n_kinds == 2:
            shares = [seen / seen.sum() for seen in self.observed]
            factors[0][...], factors[1][...] = balance(*factors, *shares)
        return w

    def _points(self, w, c):
        """The factors of the observed entities of a kind, with offsets as a last column."""
        _, offsets, factors = self.model.split(w)
        parts = [factors[c]] if offsets is None else [factors[c], offsets[c][:, None]]
        return np.hstack(parts)[self.observed[c]].astype(float)

    def _solve(self, group, parts, means=None):
        """A draw of the factors of a group's entities, with offsets as a last column."""
        rng = np.random.default_rng([self.seed, self.turn, 1 + group.entities[0]])
        mean, root = self.prior
        precision = root @ root.T
        A, b = self._equations(lambda: self._perturbed(parts, rng))
        diagonal = diagonal_of(A)
        diagonal[:, : self.model.n_components] += self._noise_ridge(group)[:, None]
        diagonal += A.shape[1] * np.finfo(A.dtype).eps * diagonal.max(axis=1, keepdims=True)
        A += (self.variance * precision).astype(A.dtype)
        noise = rng.standard_normal((len(A), len(mean))) @ root.T
        about = self.variance * (precision @ mean + noise)
        return np.linalg.solve(A, b + about[:, :, None].astype(A.dtype))[:, :, 0]

    def _perturbed(self, parts, rng):
        """The regressions with noise on their targets. Less weight means more noise."""
        deviation = float(np.sqrt(self.variance))  # keeps single precision
        for S, t, weight in parts():
            noise = deviation * rng.standard_normal(t.shape, t.dtype)
            if weight is not None:  # targets without weight do not count
                noise /= np.sqrt(np.where(weight > 0, weight, 1))[:, :, None]
            yield S, t + noise, weight


def draw_prior(points, rng):
    """Mean and precision of a normal distribution, drawn from their posterior given some points.

    Before the points are seen, the precision has a Wishart distribution with as many degrees of
    freedom as dimensions and mean ``d``, and the mean is that of one point (Salakhutdinov and Mnih,
    ICML 2008).

    Parameters
    ----------
    points : ndarray of shape (n, d)
    rng : numpy.random.Generator

    Returns
    -------
    mean : ndarray of shape (d,)
    root : ndarray of shape (d, d)
        A root of the precision, which is ``root @ root.T``.
    """
    n, d = points.shape
    center = points.mean(axis=0)
    scatter = (points - center).T @ (points - center)
    scatter += np.eye(d) + n / (n + 1) * np.outer(center, center)
    # In units of each coordinate's spread, since offsets may be far larger than factors.
    units = np.sqrt(np.diag(scatter))
    inverse = np.linalg.inv(scatter / np.outer(units, units))
    drawn = wishart.rvs(n + d, inverse, random_state=rng).reshape(d, d)
    root = np.linalg.cholesky(drawn) / units[:, None]
    noise = np.linalg.solve(root.T, rng.standard_normal(d))
    return n / (n + 1) * center + noise / np.sqrt(n + 1), root

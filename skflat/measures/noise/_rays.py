"""Volumes of a region from its radius along a ray, by Lebesgue's measure and by a Gaussian's."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp

NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)


def log_ball(n_dims):
    """Log-volume of the unit ball."""
    return n_dims / 2 * np.log(np.pi) - gammaln(n_dims / 2 + 1)


def log_mass(w, v, radius, sigma):
    """Log of the Gaussian's mass of a region if its radius were the same in all directions.

    The density along the ray times ``x ** (D - 1)``, integrated up to the radius.
    """
    n_dims, length = len(w), np.linalg.norm(v)
    slope = -(v @ w) / (sigma**2 * length)
    start = -(w @ w) / (2 * sigma**2) - n_dims / 2 * np.log(2 * np.pi * sigma**2)

    def log_density(x):
        return (n_dims - 1) * np.log(x) - x**2 / (2 * sigma**2) + slope * x

    along = _log_integral(log_density, _mode(n_dims, slope, sigma), radius * length, sigma)
    return along + start + np.log(n_dims) + log_ball(n_dims) - n_dims * np.log(length)


def _mode(n_dims, slope, sigma):
    """Where the density along a ray is greatest."""
    root = np.sqrt(slope**2 + 4 * (n_dims - 1) / sigma**2)
    return max((slope + root) * sigma**2 / 2, np.finfo(float).tiny)


def _log_integral(log_density, mode, end, sigma):
    """Logarithm of the integral from 0 to ``end`` of a log-concave density with a known mode.

    What is 40 nats below the top is left out, and the rest summed by Gauss and Legendre's rule. The
    logarithm curves at least as a Gaussian's, so 9 standard deviations are far enough.
    """
    peak = min(mode, end)
    top = log_density(peak)

    def drop(x):
        return log_density(x) - top + 40

    low, high = max(peak - 9 * sigma, np.finfo(float).tiny), min(peak + 9 * sigma, end)
    low = brentq(drop, low, peak) if drop(low) < 0 else 0.0
    high = brentq(drop, peak, high) if drop(high) < 0 else high
    half = (high - low) / 2
    return float(logsumexp(log_density(low + half * (NODES + 1)) - top, b=WEIGHTS * half) + top)

"""Volumes of a region from its radius along a ray, for Lebesgue measure and for a Gaussian."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp

NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)


def log_ball(n_dims):
    """Log-volume of the unit ball."""
    return n_dims / 2 * np.log(np.pi) - gammaln(n_dims / 2 + 1)


def log_mass(w, v, radius, sigma):
    """Log of the Gaussian mass of a region that has the same radius in all directions.

    It is the integral of the density along the ray times ``x ** (D - 1)``, up to the radius.
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

    Parts more than 40 nats below the maximum are left out, and Gauss-Legendre quadrature integrates
    the rest. The log-density is at least as concave as that of the Gaussian, whose density has
    fallen by 40 nats after 9 standard deviations.
    """
    # In high dimensions the integrand is a narrow peak far from 0. A fixed rule on [0, end] would
    # miss it, and its values would overflow without the logarithm.
    peak = min(mode, end)
    top = log_density(peak)

    def drop(x):
        return log_density(x) - top + 40

    low, high = max(peak - 9 * sigma, np.finfo(float).tiny), min(peak + 9 * sigma, end)
    low = brentq(drop, low, peak) if drop(low) < 0 else 0.0
    high = brentq(drop, peak, high) if drop(high) < 0 else high
    half = (high - low) / 2
    return float(logsumexp(log_density(low + half * (NODES + 1)) - top, b=WEIGHTS * half) + top)

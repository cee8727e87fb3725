"""Precision of the prior, and of the noise, by the largest marginal likelihood.

The parameters stay where training left them. So there is one equation, which is monotone in its
unknown, in place of MacKay's alternation (Neural Computation 4, 1992, 415), and its fixed point is
the same.
"""

import numpy as np

# Bisections of a bracket in logarithms: they resolve its width of some 1400 to rounding.
HALVINGS = 80
SMALLEST, LARGEST = 1e-150, 1e150


def prior_precision(eigenvalues, squared_norm):
    """The ``t`` at which ``t * squared_norm`` is the number of parameters that data determine.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_parameters,)
        Of the Hessian of the negative log-likelihood, not negative.
    squared_norm : float
        Of the parameters.

    Returns
    -------
    float
        Very large if the parameters are all 0.
    """
    if squared_norm == 0:
        return LARGEST
    return _root(lambda t: t * squared_norm > determined(eigenvalues, t))


def precision_and_noise(eigenvalues, squared_norm, squared_residuals, n_values):
    """Precision of the prior and variance of the noise, for squared errors.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_parameters,)
        Of the Hessian of half the squared error.
    squared_norm, squared_residuals : float
    n_values : float
        Rows, by their weight, times outputs.

    Returns
    -------
    precision, variance : float
    """
    if squared_norm == 0:
        return LARGEST, max(squared_residuals / n_values, SMALLEST)

    def too_large(ratio):  # of the noise's variance to that of the prior
        n_determined = determined(eigenvalues, ratio)
        free = n_values - n_determined
        return free > 0 and ratio * squared_norm * free > n_determined * squared_residuals

    ratio = _root(too_large)
    variance = squared_residuals / (n_values - determined(eigenvalues, ratio))
    variance = max(variance, SMALLEST)  # where the residuals are all 0
    return min(ratio / variance, LARGEST), variance


def noise_variance(eigenvalues, precision, squared_residuals, n_values):
    """Variance of the noise for a given precision of the prior; arguments as above."""

    def too_large(variance):
        n_determined = determined(eigenvalues, precision * variance)
        return variance * (n_values - n_determined) > squared_residuals

    return _root(too_large)


def determined(eigenvalues, precision):
    """How many parameters the data determine, rather than the prior."""
    return float(np.sum(eigenvalues / (eigenvalues + precision)))


def log_evidence(log_likelihood, eigenvalues, precision, squared_norm):
    """Logarithm of the marginal likelihood in Laplace's approximation."""
    volume = np.sum(np.log(precision) - np.log(eigenvalues + precision))
    return float(log_likelihood + (volume - precision * squared_norm) / 2)


def _root(too_large):
    """Where a condition that holds for large numbers begins to hold."""
    low, high = np.log(SMALLEST), np.log(LARGEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if too_large(np.exp(middle)) else (middle, high)
    return float(np.exp((low + high) / 2))

"""How many statements about some probes an affine reading of the features can still make true."""

import numpy as np

from .._measure import generator

# Largest number of statements to enumerate.
MOST = 20_000


def extension_size(pairs):
    """Number of statements about the probes that are consistent with the training rows.

    A statement gives some of the probes, or none, an outcome each; it is consistent if one affine
    map gives all training rows their labels and all these probes their outcomes. This is Bennett's
    weakness in the feature-classifier vocabulary (arXiv:2605.05209), of which the open pairs are
    the statements about one probe. All are counted: statements are built up probe by probe, and
    what is inconsistent stays so. Each is decided with the resolution of `open_pairs`.

    Parameters
    ----------
    pairs : OpenPairs
        Of few probes, for the number grows exponentially with theirs.

    Returns
    -------
    int
        At least 1 plus the number of open pairs, at most the product over the probes of 1 plus the
        number of a probe's open outcomes.

    Raises
    ------
    ValueError
        If that bound is above 20,000. `sampled_extension_size` estimates the number then.

    Examples
    --------
    Between two points on a line both probes are open for both classes, but the left one is not of
    the right point's class while the right one is of the left's:

    >>> from skflat.measures import extension_size, open_pairs
    >>> pairs = open_pairs([[-1.0], [1.0]], [0, 1], [[-0.5], [0.5]])
    >>> int(pairs.is_open.sum()), extension_size(pairs)
    (4, 8)
    """
    most = np.prod(1.0 + pairs.is_open.sum(axis=1))
    if most > MOST:
        raise ValueError(
            f"There may be {most:.3g} statements about {len(pairs.probes)} probes, more than "
            f"{MOST} to go through. Use fewer probes, or sample them: method='sample' of Weakness, "
            "or sampled_extension_size."
        )
    if not pairs.is_open.any():  # there is no reading, so even the empty statement is inconsistent
        return 0
    return _Statements(pairs).count([], pairs.completions)


def sampled_extension_size(pairs, n_descents=200, random_state=0):
    """An unbiased estimate of `extension_size`, and its standard error.

    A descent goes from probe to probe. It leaves the probe out or gives it one of the outcomes that
    are consistent with those chosen before, all with equal probability. The product of the numbers
    of choices is an unbiased estimate of the number of statements (Knuth, "Estimating the
    efficiency of backtrack programs", 1975).

    Parameters
    ----------
    pairs : OpenPairs
    n_descents : int, default=200
        At least 2. A descent takes at most one linear program for each open pair, and most of them
        are answered by a map that is known.
    random_state : int, RandomState instance or None, default=0
        Draws the descents.

    Returns
    -------
    size : float
        0 if no reading is consistent with the training rows.
    stderr : float
        Standard error of the mean over the descents. With many probes few descents hold most of the
        sum, and the error itself is uncertain.

    Examples
    --------
    >>> from skflat.measures import open_pairs, sampled_extension_size
    >>> pairs = open_pairs([[-1.0], [1.0]], [0, 1], [[-0.5], [0.5]])
    >>> size, stderr = sampled_extension_size(pairs)
    >>> abs(size - 8) < 3 * stderr < 1
    True
    """
    if n_descents < 2:
        raise ValueError(f"n_descents must be at least 2, got {n_descents}.")
    if not pairs.is_open.any():
        return 0.0, 0.0
    rng, statements = generator(random_state), _Statements(pairs)
    sizes = np.array([statements.descent(rng) for _ in range(n_descents)])
    return float(sizes.mean()), float(sizes.std(ddof=1) / np.sqrt(n_descents))


class _Statements:
    """The recursion over the probes, and the outcomes of all maps found on the way."""

    def __init__(self, pairs):
        self.pairs, self.known = pairs, {}
        self.rows = pairs.completions.normalized(pairs.probes)
        ones = np.ones((len(pairs.probes), 1))
        scores = np.hstack([pairs.probes, ones]) @ pairs.witnesses
        self.outcomes = list(scores.argmax(axis=2))

    def count(self, statement, completions):
        """Statements that go on from one about the first probes; None leaves a probe out."""
        probe = len(statement)
        if probe == len(self.rows):
            return 1
        total = self.count([*statement, None], completions)
        for outcome in self._consistent(statement, completions):
            longer = completions.extended(self.rows[probe], outcome)
            total += self.count([*statement, outcome], longer)
        return total

    def descent(self, rng):
        """The product of the numbers of choices on a random way through the recursion."""
        statement, completions, product = [], self.pairs.completions, 1.0
        for row in self.rows:
            told = tuple(statement)
            if told not in self.known:  # many descents begin alike
                self.known[told] = self._consistent(statement, completions)
            outcomes = [None, *self.known[told]]
            product *= len(outcomes)
            statement.append(outcomes[rng.integers(len(outcomes))])
            if statement[-1] is not None:
                completions = completions.extended(row, statement[-1])
        return product

    def _consistent(self, statement, completions):
        """The outcomes of the next probe that are consistent with a statement about those before.

        What is inconsistent stays so when a probe is added, so whole branches of the recursion are
        skipped. A known map answers without a linear program.
        """
        probe = len(statement)
        return [
            outcome
            for outcome in np.flatnonzero(self.pairs.is_open[probe])
            if self._is_met([*statement, outcome]) or self._decide(completions, probe, outcome)
        ]

    def _is_met(self, statement):
        """Whether a map found before makes it true."""
        return any(
            all(wanted in (None, found) for wanted, found in zip(statement, each, strict=False))
            for each in self.outcomes
        )

    def _decide(self, completions, probe, outcome):
        U, *_ = completions.decide(self.rows[probe], outcome)
        if U is not None:
            self.outcomes.append((self.rows @ U).argmax(axis=1))
        return U is not None

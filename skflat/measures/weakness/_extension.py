"""How many statements about some probes an affine reading of the features can still make true."""

import numpy as np

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
        If that bound is above 20,000.

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
            f"{MOST} to go through. Use fewer probes."
        )
    if not pairs.is_open.any():  # there is no reading, so even the empty statement is inconsistent
        return 0
    return _Statements(pairs).count([], pairs.completions)


class _Statements:
    """The recursion over the probes, and the outcomes of all maps found on the way."""

    def __init__(self, pairs):
        self.pairs = pairs
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
        # Adding a probe to an inconsistent statement cannot make it consistent, so whole branches
        # of the recursion are skipped. A known map answers without a linear program.
        for outcome in np.flatnonzero(self.pairs.is_open[probe]):
            longer = [*statement, outcome]
            if self._is_met(longer) or self._decide(completions, probe, outcome):
                row = self.rows[probe]
                total += self.count(longer, completions.extended(row, outcome))
        return total

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

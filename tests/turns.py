"""Combinations of which ``make test`` runs a part in turn, and ``make test-slow`` the rest."""

from itertools import product

import pytest


def in_turn(n, *axes):
    """All combinations of entries of the axes; one of ``n`` is quick, the others are slow.

    The quick ones are spread: every entry of each axis of at least ``n`` entries is in some.
    """
    return [
        pytest.param(
            *(entry for _, entry in combination),
            marks=[] if sum(k for k, _ in combination) % n == 0 else [pytest.mark.slow],
        )
        for combination in product(*map(enumerate, axes))
    ]

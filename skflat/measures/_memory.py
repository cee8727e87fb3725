"""How much a measure holds in memory at once. It is known in advance from shapes."""

MAX_NUMBERS = 1 << 22  # entries of a temporary array beside data and parameters: 34 MB
MAX_MATRIX = 1 << 26  # entries of a matrix that cannot be split: 0.5 GB


def at_once(size, wanted):
    """How many of the wanted vectors, each of ``size`` numbers, are held at once.

    It is at least one. A vector of parameters is never too large, because the parameters
    themselves are in memory.
    """
    return max(1, min(wanted, MAX_NUMBERS // max(1, size)))


def refuse_beyond(width, what, remedy):
    """Raise an error if a square matrix needs more memory than a measure may use."""
    if width**2 > MAX_MATRIX:
        raise MemoryError(
            f"{what} needs a matrix of {width} x {width} numbers, {8e-9 * width**2:.1f} GB: "
            f"{remedy}."
        )

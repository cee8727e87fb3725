"""How much a measure holds in memory at once, known beforehand from shapes."""

MAX_NUMBERS = 1 << 22  # of one array that comes on top of data and parameters: 34 MB
MAX_MATRIX = 1 << 26  # of a matrix that has to be whole: 0.5 GB


def at_once(size, wanted):
    """How many of the vectors that are wanted, each of ``size`` numbers, are held at once.

    At least one: a vector of parameters is never too large, for the parameters are there.
    """
    return max(1, min(wanted, MAX_NUMBERS // max(1, size)))


def refuse_beyond(width, what, remedy):
    """Refuse a square matrix that would take more memory than a measure may ask for."""
    if width**2 > MAX_MATRIX:
        raise MemoryError(
            f"{what} needs a matrix of {width} x {width} numbers, {8e-9 * width**2:.1f} GB: "
            f"{remedy}."
        )

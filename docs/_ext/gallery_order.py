"""The order of the gallery: what a newcomer should see first, then by name."""

FIRST = [
    "plot_tour.py",
    "plot_measure_your_network.py",
    "plot_same_function.py",
    "plot_choose_rho.py",
    "plot_escape.py",
]


class ReadingOrder:
    """A sort key of sphinx-gallery.

    Parameters
    ----------
    folder : str
        Folder of the examples, which sphinx-gallery passes.
    """

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, name):
        return FIRST.index(name) if name in FIRST else len(FIRST), name

    def __repr__(self):
        return "<ReadingOrder>"

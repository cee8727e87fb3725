"""The size at which a model starts to interpolate, and the size at which it is flat."""

import numpy as np

from ._display import Display


class EmergenceDisplay(Display):
    """Share of seeds without training error and energy of the solutions, over the size.

    The left axis has the share, and the test score if there is one. The right axis has the energy:
    every solution, and the mean with two standard errors. Vertical lines mark the two thresholds,
    and bands mark their intervals. If a threshold was not found, the legend says so.

    Use `from_emergence` to make one.

    Parameters
    ----------
    sizes : ndarray of shape (n_sizes,)
    solved : ndarray of bool, of shape (n_sizes, n_seeds)
    energy : ndarray of shape (n_sizes, n_seeds)
        Only the energies of solutions are drawn.
    thresholds : dict of str to Threshold
    test_score : ndarray of shape (n_sizes, n_seeds), default=None
    name : str, default=None
        A prefix for the names of the curves in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    energy_ax_ : matplotlib.axes.Axes
        The axis on the right.
    figure_ : matplotlib.figure.Figure
    lines_ : list of matplotlib.lines.Line2D
        The curves of the share and of the test score.
    bars_ : matplotlib.container.ErrorbarContainer
        The mean energies.
    points_ : matplotlib.collections.PathCollection
        The energies of the solutions.
    thresholds_ : dict of str to matplotlib.lines.Line2D
        The lines of the thresholds that were found.
    bands_ : dict of str to matplotlib.patches.Rectangle
        The intervals, cut at the ends of the axis.

    Examples
    --------
    >>> from skflat.displays import EmergenceDisplay
    >>> from skflat.experiments import Emergence
    >>> runs = [
    ...     {"size": size, "seed": seed, "train_error": 0.2 * (size < 20), "energy": 5 / size}
    ...     for size in (10, 20, 40, 80, 160)
    ...     for seed in range(2)
    ... ]
    >>> found = Emergence(runs, level=0.1)
    >>> display = EmergenceDisplay.from_emergence(found)
    >>> display.ax_.get_xlabel()
    'size of the model'
    """

    def __init__(self, sizes, solved, energy, thresholds, test_score=None, *, name=None):
        self.sizes = sizes
        self.solved = solved
        self.energy = energy
        self.thresholds = thresholds
        self.test_score = test_score
        self.name = name

    @classmethod
    def from_emergence(cls, emergence, *, name=None, ax=None, **kwargs):
        """Draw the result of `skflat.experiments.emergence`.

        Parameters
        ----------
        emergence : Emergence
        name : str, default=None
            A prefix for the names of the curves in the legend.
        ax : matplotlib.axes.Axes, default=None
            None makes a new figure.
        **kwargs : dict
            Passed on to `matplotlib.axes.Axes.plot`, for the lines of the left axis.

        Returns
        -------
        display
        """
        return cls(
            emergence.sizes,
            emergence.table("train_error") == 0,
            emergence.table("energy"),
            {"interpolation": emergence.interpolation_, "flatness": emergence.flatness_},
            emergence.table("test_score") if "test_score" in emergence.runs[0] else None,
            name=name,
        ).plot(ax=ax, **kwargs)

    def plot(self, ax=None, *, name=None, **kwargs):
        ax = self._start(ax)
        ax.set_xscale("log")
        name = self.name if name is None else name
        before = "" if name is None else f"{name}: "
        self._draw_shares(before, kwargs)
        self._draw_energies(before)
        # An interval may end at 0 or at infinity. The limits of the data stay the limits.
        ends = ax.get_xlim()
        self.thresholds_, self.bands_ = {}, {}
        for (key, each), color in zip(self.thresholds.items(), ("C0", "C1"), strict=True):
            self._mark(key, each, color, ends)
        ax.set_xlim(ends)
        self.energy_ax_.set_ylabel("energy of the solutions")
        score = "" if self.test_score is None else ", test score"
        self._finish("size of the model", f"share of the seeds{score}")
        # One legend for both axes. On the left axis, curves of the right one would cross it.
        ax.get_legend().remove()
        handles = [each.get_legend_handles_labels() for each in (ax, self.energy_ax_)]
        both = (left + right for left, right in zip(*handles, strict=True))
        self.energy_ax_.legend(*both, loc="center right")
        return self

    def _draw_shares(self, before, kwargs):
        style = {"color": "C0", "marker": ".", **kwargs}
        share = self.solved.mean(axis=1)
        self.lines_ = self.ax_.plot(
            self.sizes, share, **{"label": f"{before}zero training error", **style}
        )
        if self.test_score is not None:
            score = np.ma.masked_invalid(self.test_score).mean(axis=1)  # NaN where a fit diverged
            self.lines_ += self.ax_.plot(
                self.sizes, score, **{**style, "ls": ":", "label": f"{before}test score"}
            )

    def _draw_energies(self, before):
        """Draw every solution, and means with two standard errors."""
        self.energy_ax_ = ax = self.ax_.twinx()
        sizes = np.broadcast_to(self.sizes[:, None], self.solved.shape)[self.solved]
        self.points_ = ax.scatter(sizes, self.energy[self.solved], s=12, color="0.6", zorder=1)
        some = self.solved.any(axis=1)
        solutions = [row[solved] for row, solved in zip(self.energy, self.solved, strict=True)]
        mean = [each.mean() for each in solutions if len(each)]
        error = [2 * _error(each) for each in solutions if len(each)]
        self.bars_ = ax.errorbar(
            self.sizes[some], mean, error, fmt="o-", capsize=3, color="C1", label=f"{before}energy"
        )

    def _mark(self, key, threshold, color, ends):
        """Draw a line and a band, or note in the legend that there is no threshold."""
        low, high = np.clip([threshold.low, threshold.high], *ends)
        self.bands_[key] = self.ax_.axvspan(low, high, color=color, alpha=0.1, lw=0)
        if threshold.reason:
            self.ax_.plot([], [], " ", label=f"{key}: not found")
        else:
            label = f"{key} at {threshold.size:.3g}"
            line = self.ax_.axvline(threshold.size, color=color, ls="--", label=label)
            self.thresholds_[key] = line


def _error(values):
    """Standard error of the mean. A single value has 0, so no bar is drawn."""
    return values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0

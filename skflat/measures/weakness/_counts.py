"""How open pairs are counted: one strategy for every task."""

from abc import ABC, abstractmethod

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from ...objective import (
    Entries,
    HiddenLayer,
    NotDefinedError,
    RegressionLoss,
    capability,
    require,
)
from ...problems import BINARY, COMPLETION, MULTICLASS, MULTILABEL, REGRESSION
from .._measure import generator
from ._bins import open_bins, open_bins_of_entries
from ._pair_draw import draw_pairs, n_affordable_probes
from ._readings import double, hidden_layer, readings

# Shares, standard error and counts if the budget is too small for any pair.
NOTHING_ASKED = np.array([]), np.nan, {"n_pairs": 0, "n_undecided": 0}


class Count(ABC):
    """Open pairs of a problem.

    Parameters
    ----------
    measure : Weakness
        Its parameters say what to count.
    problem : Problem

    Attributes
    ----------
    features : str
        Name of the features to re-read.
    """

    #: Names of the features that may be re-read. The first one is the default.
    allowed = ("hidden",)
    #: The type of `Capability` that has the features.
    reads = HiddenLayer

    def __init__(self, measure, problem):
        self.measure, self.problem = measure, problem
        self.objective, self.w = problem.objective, double(problem.w)
        self.features = self.allowed[0] if measure.features == "auto" else measure.features
        # Logits are there without a known hidden layer.
        self.read = capability(self.objective, self.reads)
        if self.features != "logits":
            require(self.objective, self.reads, type(measure).__name__)
        if self.features not in self.allowed:
            raise NotDefinedError(
                f"features must be 'auto' or one of {self.allowed} for a {problem.task} target, "
                f"got {measure.features!r}."
            )

    @abstractmethod
    def shares(self, probes, budget):
        """Share of open pairs at every probe, its standard error, and counts for the protocol.

        It decides only as many probes as the budget allows, which may be none.
        """

    def readings(self, probes):
        """The features and the values to reproduce, for every label or for the classes."""
        return readings(self.problem, probes, self.features, self.measure.target)

    def probes(self):
        """Inputs that are not among the rows, and where they come from."""
        if self.measure.X_probe is not None:
            return self._given(), "given"
        X, n_probes = self.objective.data.X, self.measure.n_probes
        rng = generator(self.measure.random_state)
        first, second = rng.integers(X.shape[0], size=(2, n_probes))
        mix = rng.uniform(size=(n_probes, 1)).astype(X.dtype)
        source = "convex combinations of rows"
        if sparse.issparse(X):
            mix = sparse.diags_array(mix[:, 0])
            probes = mix @ X[first] + (sparse.eye_array(n_probes) - mix) @ X[second]
            return probes.tocsr(), source
        return mix * X[first] + (1 - mix) * X[second], source

    def _given(self):
        X = self.objective.data.X
        probes = check_array(self.measure.X_probe, accept_sparse="csr", dtype=X.dtype)
        if probes.shape[1] != X.shape[1]:
            raise ValueError(
                f"X_probe has {probes.shape[1]} features, but the network is expecting "
                f"{X.shape[1]} features as input."
            )
        return probes

    def _width(self):
        """Units of the last hidden layer."""
        return len(self.read.head(self.w))


class PairsOfClasses(Count):
    """Pairs of a probe and one of three classes or more, some of them drawn at random."""

    allowed = ("logits", "hidden")

    def shares(self, probes, budget):
        known = self.objective.scores(self.w, probes)
        # Centred logits of K classes span K - 1 dimensions.
        of_logits = known.shape[1] - 1
        width = of_logits if self.read is None else self._width()
        width = min(width, of_logits) if self.features == "logits" else width
        shape, rng = (self.objective.n_rows, width), generator(self.measure.random_state)
        draw = draw_pairs(shape, known.shape[1], known.argmax(axis=1), budget.left, rng)
        if draw is None:
            return NOTHING_ASKED
        (reading,) = self.readings(probes)
        pairs = reading.decide(budget, draw.asked)
        is_open = pairs.index >= 0
        shares = draw.shares(is_open)
        return shares, draw.error(shares, is_open), _counted(draw.asked, pairs)


class PairsOfLabels(Count):
    """Pairs of a probe and yes or no, for every label."""

    def shares(self, probes, budget):
        shape, n_labels = (self.objective.n_rows, self._width()), self.objective.data.y.shape[1]
        n_probes = n_affordable_probes(shape, probes.shape[0], budget.left / n_labels)
        if not n_probes:
            return NOTHING_ASKED
        asked = np.ones((n_probes, 2), dtype=bool)
        pairs = [reading.decide(budget, asked) for reading in self.readings(probes)]
        counts = [_counted(asked, each) for each in pairs]
        total = {name: sum(each[name] for each in counts) for name in counts[0]}
        shares = np.mean([(each.index >= 0).mean(axis=1) for each in pairs], axis=0)
        return shares, _error_of_probes(shares), total


class Bins(Count):
    """Pairs of a probe and a quantile bin of the target."""

    def __init__(self, measure, problem):
        super().__init__(measure, problem)
        require(self.objective, RegressionLoss, "Weakness of numbers")

    def shares(self, probes, budget):
        return _of_bins(self._open(probes, budget))

    def _open(self, probes, budget):
        rows, measure = hidden_layer(self.objective, self.w, probes), self.measure
        asked = *rows, measure.target, measure.tolerance
        return open_bins(self.objective, self.w, *asked, budget)


class BinsOfEntries(Bins):
    """The same for probes that are entries of a matrix and not among the rows."""

    allowed, reads = ("column factors",), Entries

    def __init__(self, measure, problem):
        if measure.features != "auto":
            raise NotDefinedError(
                f"features must be 'auto' for a completion, got {measure.features!r}."
            )
        super().__init__(measure, problem)

    def probes(self):
        if self.measure.X_probe is not None or self.measure.target == "labels":
            raise NotDefinedError(
                "X_probe and target='labels' are not for completions: their probes are unseen "
                "entries, and readings reproduce the fitted values."
            )
        rng = generator(self.measure.random_state)
        return self.read.unseen(self.measure.n_probes, rng), "unseen entries"

    def _open(self, probes, budget):
        return open_bins_of_entries(self.objective, self.w, probes, self.measure.tolerance, budget)


#: From a task to the class that counts its pairs.
COUNTS = {
    MULTICLASS: PairsOfClasses,
    BINARY: PairsOfLabels,
    MULTILABEL: PairsOfLabels,
    REGRESSION: Bins,
    COMPLETION: BinsOfEntries,
}


def _of_bins(found):
    counts = {"n_pairs": found.n_bins, "n_undecided": found.n_undecided}
    return found.shares, _error_of_probes(found.shares), counts


def _error_of_probes(shares):
    n = len(shares)
    return float(shares.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan


def _counted(asked, pairs):
    """The number of pairs to decide, and how many of them have no proof."""
    return {"n_pairs": int(asked.sum()), "n_undecided": int((asked & ~pairs.decided()).sum())}

"""Weakness: how much the learned function leaves open."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..._compat import Interval, StrOptions
from ...objective import ClassLoss, HiddenLayer, NotDefinedError, require
from ...problems import as_problem
from .._budget import Budget
from .._function import function_of
from .._measure import Measure, bias_of_sample, describe, exactness
from .._measurement import Measurement
from ..feasibility import result_of
from ._counts import COUNTS
from ._extension import extension_size, sampled_extension_size
from ._readings import double
from ._regions import alone, regions


class Weakness(Measure):
    """Share of (probe, outcome) pairs that are still open; larger is weaker.

    A pair is open if some affine re-reading of the network's own outputs gives the probe that
    outcome and still reproduces the learned function on every row of ``X``. The learned function is
    the predicted classes. The value is Bennett's pair count (arXiv:2605.05209) as a share in [0,
    1]. Every pair is decided by a reading that realises it or by a proof that there is none
    (`open_pairs`). Both are exact; pairs within a resolution of about 1e-10, which only rounding
    could decide, count as closed and undecided. So do bins of a regression whose predictions are so
    large that they round by more than the tolerance. Only the probes are sampled, and the pairs if
    all of them cost more than ``budget``.

    Features to re-read and outcomes depend on the task:

    * Three classes or more: the features are the centred logits. So the value depends only on the
      input-output map of the network. It is exactly the same for all parameters with this map.
      If fewer units feed the logits than there are classes, less one, the logits depend on each
      other. Proofs then are about the last hidden layer, and the weights carry them to the logits.
    * Two classes, and every label of a multilabel target: the features are the last hidden layer,
      because a single centred logit leaves almost nothing open. The value is invariant under
      rescaling the layers of a relu network and under invertible affine maps of that layer.
    * Regression: the features are the last hidden layer. The outcomes are ten quantile bins of the
      target, or fewer if quantiles are equal. Readings stay within ``tolerance`` standard
      deviations of the target around the learned function. A bin is open if the interval of
      attainable values meets it. Multiple outputs are averaged.
    * Completion of a matrix: the factors and the offset of the probe's column vary, and all others
      are fixed. With several kinds of identifiers, those of its entity of the last kind vary. The
      probes are unseen entries. The learned function is the scores of the observed entries of that
      column. The rest is as in regression. The value is the same for all factors with the same
      product, as long as the factors of the observed rows span the same space.

    Without a hidden layer the inputs take its place.

    Parameters
    ----------
    n_probes : int, default=10
        Probes drawn where none are given.
    X_probe : array-like of shape (n_probes, n_features), default=None
        Inputs not seen in training, as the network sees them (after a Pipeline's earlier
        steps). None draws convex combinations of two rows of ``X``, or unseen entries. Not for
        completions.
    target : {'predictions', 'labels'}, default='predictions'
        What the readings reproduce on the rows: the learned function, or ``y`` as in the paper. If
        no reading reproduces the labels (in a regression, the targets within ``tolerance``),
        nothing is open and the value is 0.
    vocabulary : {'feature-classifier', 'region-class'}, default='feature-classifier'
        With ``'region-class'`` a probe is open if no row shares its activation region. A region is
        the pattern of active units of the last hidden layer; it needs a hidden layer and classes.
        The value is then ``k log(K + 1)``, with ``k`` such regions and ``K`` outcomes. This is the
        logarithm of Bennett's weakness if every region has at most one class. It is meant for relu.
        ``table`` has the counts of distinct patterns for every hidden layer.
    count : {'pairs', 'statements'}, default='pairs'
        ``'statements'`` is for classes and few probes. It counts the statements that give several
        probes their outcomes at once (`extension_size`). The value is the logarithm of their
        number, summed over the labels of a multilabel target. It is minus infinity if there is
        none.
    method : {'exact', 'sample'}, default='exact'
        How statements are counted. ``'exact'`` refuses more than 20,000. ``'sample'`` estimates
        their number from random descents (`sampled_extension_size`), for any number of probes. The
        standard error is that of the estimate, and not due to the drawing of probes.
    n_descents : int, default=200
        With ``method='sample'`` only.
    features : {'auto', 'logits', 'hidden'}, default='auto'
        The features to re-read. ``'auto'`` is described above. The last hidden layer is the
        published choice for classes, too. ``'logits'`` needs three classes or more.
    tolerance : float, default=0.1
        Regression only, see above.
    budget : float, default=1e12
        Approximate number of multiplications for the decisions. A fast core takes a minute for the
        default. If all pairs of the probes would cost more, only as many pairs as the budget allows
        are drawn at random; ``protocol["n_pairs"]`` is their number. If a pair needs more than is
        left, it stays undecided and counts as closed, and the value is a lower bound. A fit
        measures within a share of the cost of training.
    random_state : int, RandomState instance or None, default=0
        Draws the probes, and the pairs if the budget is too small for all of them.

    Notes
    -----
    On a sample of the rows the value is larger than on all, because fewer rows constrain the
    readings. This bias is in no standard error; the protocol then names it, as ``bias``.

    ``protocol`` has the shape of given probes. ``samples`` holds the share of every probe. With the
    region-class vocabulary it is 1 for an open probe. Weights of rows are accepted but have no
    influence, because a row constrains the readings whatever its weight is.

    Only the rows of ``X`` constrain the readings, so fewer rows leave more open. The standard error
    is due to the drawing of probes. A number of statements or regions belongs to one set of probes
    and has no standard error. A pair that only rounding could decide counts as closed, and
    ``converged`` is then False. ``protocol["n_undecided"]`` is the number of such pairs, with those
    beyond the budget. Compare weaknesses only for the same probes and rows.

    ``benchmarks/default_probes.py`` measures the effect of few probes and of few rows. It trains
    100 networks with a bottleneck of 8 units on 250 digits. They differ only in their seed. Their
    mean weakness at 100 unseen rows is 0.84. The following Spearman correlations compare a ranking
    of the networks with the ranking by these unseen rows:

    * Ten default probes have 0.76 and thirty have 0.86. Their mean values are 0.90 and 0.89.
    * Ten other unseen rows have 0.80 and thirty have 0.92.
    * With half of the training rows the correlation is 0.96, and 0.95 of the pairs are open. With a
      quarter of them it is 0.88, and 0.99 are open.

    With ``--regression`` the benchmark trains 30 default regressors on 10,000 rows of California
    housing and measures at 100 unseen rows. With all rows, 0.23 of the bins are open. With 2,000
    rows, on which a default fit measures, it is 0.30, and with 500 rows 0.43. At ten default probes
    it is 0.26. Networks that differ only in their seed are nearly equal there (standard deviation
    0.003).

    If the two best scores of a row are equal, no reading can reproduce its class strictly, and
    nothing is open.

    With 2,000 rows, and if the network separates the classes, a pair costs about 0.5 ms for 9
    features and 10 classes, 4 ms for 25 features and 26 classes, and 20 ms for 100 features and 200
    classes. If it does not separate them, a third of the pairs need a program of all classes. With
    26 classes this takes 2 s for each pair. With about forty classes or more, these pairs stay
    undecided. A probe of a regression costs 4 ms with 2,000 rows and 100 features.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.measures import Weakness
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(max_iter=2000, random_state=0).fit(X, y)
    >>> 1 / 3 <= Weakness().measure(clf, X, y).value <= 1
    True
    """

    _parameter_constraints: dict = {
        "n_probes": [Interval(Integral, 1, None, closed="left")],
        "X_probe": ["array-like", "sparse matrix", None],
        "target": [StrOptions({"predictions", "labels"})],
        "vocabulary": [StrOptions({"feature-classifier", "region-class"})],
        "count": [StrOptions({"pairs", "statements"})],
        "method": [StrOptions({"exact", "sample"})],
        "n_descents": [Interval(Integral, 2, None, closed="left")],
        "features": [StrOptions({"auto", "logits", "hidden"})],
        "tolerance": [Interval(Real, 0, None, closed="neither")],
        "budget": [Interval(Real, 0, np.inf, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_probes=10,
        X_probe=None,
        target="predictions",
        vocabulary="feature-classifier",
        count="pairs",
        method="exact",
        n_descents=200,
        features="auto",
        tolerance=0.1,
        budget=1e12,
        random_state=0,
    ):
        self.n_probes = n_probes
        self.X_probe = X_probe
        self.target = target
        self.vocabulary = vocabulary
        self.count = count
        self.method = method
        self.n_descents = n_descents
        self.features = features
        self.tolerance = tolerance
        self.budget = budget
        self.random_state = random_state

    def decisions(self, estimator, X, y):
        """The decisions on all pairs, with their proofs.

        Parameters
        ----------
        estimator, X, y
            As in `measure`. The estimator must be a classifier.

        Returns
        -------
        list of OpenPairs
            One item for classes. For a multilabel target, one for every label.
        """
        self._validate_params()
        problem = as_problem(estimator, X, y)
        require(problem.objective, ClassLoss, "Decisions on pairs")
        count = COUNTS[problem.task](self, problem)
        return self._decisions(count, count.probes()[0])

    def _recorded(self):
        """The parameters, with the shape of given probes: a fitted estimator keeps no data."""
        given = {} if self.X_probe is None else {"X_probe": np.shape(self.X_probe)}
        return super()._recorded() | given

    def _evaluate(self, problem):
        count = COUNTS[problem.task](self, problem)
        probes, source = count.probes()
        details = {
            "target": self.target,
            "vocabulary": self.vocabulary,
            "features": count.features,
            "probes": source,
            "samples": "one a probe",
            "seed": self.random_state,
        }
        if self.vocabulary == "region-class":
            found = self._regions(problem, probes)
        elif self.count == "statements":
            found = self._statements(count, probes)
        else:
            found, counts = self._pairs(count, probes)
            details |= counts
        details |= bias_of_sample(problem, "larger")
        return Measurement(n_evals=1, protocol=describe(problem, **details), **found)

    def _pairs(self, count, probes):
        """The mean share of open pairs, and the numbers of pairs drawn and left undecided."""
        budget = Budget(self.budget)
        shares, stderr, counts = count.shares(probes, budget)
        if not len(shares):
            self._say_too_dear()
        elif counts["n_undecided"] and budget.cut_short:
            self._say_cut_short(counts)
        return {
            "value": float(shares.mean()) if len(shares) else np.nan,
            "stderr": stderr,
            "kind": "lower_bound" if counts["n_undecided"] else "estimate",
            "converged": bool(len(shares) and not counts["n_undecided"]),
            "samples": shares,
        }, counts

    def _say_too_dear(self):
        warnings.warn(
            f"Weakness is not measured: two probes would take more than budget={self.budget:.3g} "
            "multiplications, so the value is NaN. The function skflat.measures.weakness, whose "
            "budget is a parameter, measures it.",
            stacklevel=5,
        )

    def _say_cut_short(self, counts):
        warnings.warn(
            f"Weakness is a lower bound: {counts['n_undecided']} of {counts['n_pairs']} pairs "
            f"stayed undecided within budget={self.budget:.3g} multiplications. The function "
            "skflat.measures.weakness, whose budget is a parameter, decides more.",
            ConvergenceWarning,
            stacklevel=5,
        )

    def _statements(self, count, probes):
        require(count.problem.objective, ClassLoss, "count='statements'")
        pairs = self._decisions(count, probes)
        if self.method == "sample":
            drawn = self.n_descents, self.random_state
            found = [sampled_extension_size(each, *drawn) for each in pairs]
        else:
            found = [(extension_size(each), 0.0) for each in pairs]
        sizes, errors = np.array(found, dtype=float).T
        with np.errstate(divide="ignore"):
            value = float(np.log(sizes).sum())
        return {
            "value": value,
            # The error of a logarithm is the relative error.
            "stderr": float(np.linalg.norm(errors / np.maximum(sizes, 1))),
            "kind": "estimate" if self.method == "sample" else exactness(count.problem),
            "converged": bool(all(each.decided.all() for each in pairs)),
            "samples": np.mean([each.is_open.mean(axis=1) for each in pairs], axis=0),
        }

    def _regions(self, problem, probes):
        objective, w = problem.objective, double(problem.w)
        require(objective, ClassLoss, "vocabulary='region-class'")
        hidden = require(objective, HiddenLayer, "vocabulary='region-class'")
        layers = hidden.layers(w), hidden.layers(w, probes)
        if not layers[0]:
            raise NotDefinedError("vocabulary='region-class' is for networks with a hidden layer.")
        counts = [regions(*pair) for pair in zip(*layers, strict=True)]
        n_outcomes = objective.scores(w).shape[1] if problem.task.greatest_wins else 2
        return {
            "value": float(counts[-1].n_free * np.log(n_outcomes + 1)),
            "stderr": 0.0,
            "kind": exactness(problem),
            "converged": True,
            "samples": alone(layers[0][-1], layers[1][-1]).astype(float),
            "table": {
                "layer": np.arange(len(counts)),
                "n_rows": np.array([each.n_rows for each in counts]),
                "n_probes": np.array([each.n_probes for each in counts]),
                "n_free": np.array([each.n_free for each in counts]),
            },
        }

    def _decisions(self, count, probes):
        """`OpenPairs` of every label, or of the classes."""
        budget = Budget(self.budget)
        decided = (reading.decide(budget, keep=True) for reading in count.readings(probes))
        return [result_of(each) for each in decided]


weakness = function_of(Weakness, "weakness")

"""Choose among fitted networks by a measure, with its rivals beside it."""

from collections.abc import Iterable, Mapping
from numbers import Real

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import check_scoring

from ..measures import MEASURES, Measure, Weakness, compare, pandas_for, sample_rows
from ..problems import as_problem

#: What is measured besides, because it explains most of what weakness says.
RIVALS = ("weakness", "effective_rank", "normalized_margin")
VALIDATION = "validation"


def select(
    models,
    X,
    y,
    by="normalized_margin",
    *,
    rivals=RIVALS,
    validation=None,
    scoring=None,
    within=None,
    max_samples=2000,
    n_jobs=None,
    random_state=0,
):
    """Choose one of several fitted networks by a measure, and show what its rivals would choose.

    Use it for networks of one architecture that were trained alike from different starts. All are
    measured on the same rows, and weakness on the same probes.

    Parameters
    ----------
    models : sequence of fitted estimators, or dict of str to fitted estimator
        At least two. They may be Pipelines. They are not changed.
    X, y : array-like of shape (n_samples, n_features), (n_samples,) or (n_samples, n_outputs)
        The training rows.
    by : str or Measure, default='normalized_margin'
        What chooses: a name of `skflat.measures.MEASURES`, a measure with parameters of your own,
        or ``'validation'``, the score on the rows in ``validation``. Of a measure the flattest
        value is chosen, which is the largest or the smallest (``Measure.sign``). Weakness and
        effective rank choose the largest. Among equal values the first one is chosen.
    rivals : sequence of str or Measure, default=('weakness', 'effective_rank', 'normalized_margin')
        What else is measured, with the choice that each would make. None is nothing.
        ``'validation'`` is among them if there are such rows. A measure that is not defined for the
        models is left out. A name that is there twice is measured once. Measures of your own go by
        the names of their classes, and further ones of a class have a number, as in
        ``'NoiseStability 2'``.
    validation : tuple (X_val, y_val), default=None
        Rows that no model was trained on.
    scoring : str or callable, default=None
        Of the validation rows. None is the models' ``score``.
    within : float, default=None
        Choose only among models of equal training loss: those whose loss exceeds the least one by
        at most this share of the loss of the best constant prediction. The losses are unpenalised
        means over the measured rows. None chooses among all.
    max_samples : int or None, default=2000
        Number of rows to measure on, a stratified sample. None takes all rows.
    n_jobs : int, default=None
        Number of workers; see `joblib.Parallel`. The results are equal to the bit for any number.
    random_state : int, default=0
        Draws the rows. It is also the seed of measures given by name.

    Returns
    -------
    Selection

    Raises
    ------
    ValueError
        If there are fewer than two models, if ``by`` is unknown or NaN for all models, if
        validation rows are asked for and not given, or if ``within`` is below 0.
    TypeError
        If ``models`` is a single estimator, or a model cannot be measured.

    Notes
    -----
    The cost is that of the measures; nothing is trained. Measures are of the training rows, so they
    need no further labels. In ``benchmarks/entropy_and_selection.py`` one of eight starts is chosen
    (24 pools of networks 784-64-8-10 that learn 250 images, half of the pools with 20 % of wrong
    labels). Test accuracy less the mean of the pool, in points:

    * weakness at 100 unseen inputs: 0.5 +- 0.4
    * effective rank: 1.5 +- 0.3
    * normalised margin: 1.5 +- 0.3
    * trace of the Hessian: 0.2 +- 0.7
    * a thousand validation rows: 2.2 +- 0.2
    * the best of the pool: 2.6 +- 0.2

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.experiments import select
    >>> X, y = load_iris(return_X_y=True)
    >>> given = {"solver": "lbfgs", "alpha": 1, "max_iter": 3000, "measures": None}
    >>> nets = [FlatMLPClassifier((8,), random_state=k, **given).fit(X, y) for k in range(3)]
    >>> found = select(nets, X, y, by="effective_rank")
    >>> found.best is nets[found.index]
    True
    >>> sorted(found.choices)
    ['effective_rank', 'normalized_margin', 'weakness']
    """
    named = _named(models)
    criteria = _criteria(by, rivals, validation, random_state)
    chooses = next(iter(criteria))
    measures = {name: each for name, each in criteria.items() if isinstance(each, Measure)}
    numbered = {str(place): model for place, model in enumerate(named.values())}
    asked = {"max_samples": max_samples, "n_jobs": n_jobs, "random_state": random_state}
    reports = list(compare(numbered, X, y, measures=measures, **asked).values())
    values = {
        name: np.array([each[name].value if name in each else np.nan for each in reports])
        for name in measures
    }
    if VALIDATION in criteria:
        scores = [check_scoring(model, scoring)(model, *validation) for model in named.values()]
        values[VALIDATION] = np.array(scores, dtype=float)
    equal = _of_equal_loss(numbered.values(), X, y, within, max_samples, random_state)
    if np.isnan(values[chooses][equal]).all():
        reason = reports[0].not_measured.get(chooses, "it is NaN.")
        raise ValueError(f"by={by!r} chooses none of the models: {reason}")
    signs = {name: getattr(each, "sign", 1) for name, each in criteria.items()}
    return Selection(named, chooses, values, signs, equal)


def select_weakest(estimators, X, y, X_probe=None, *, within=0.01, **given):
    """The weakest of several fitted networks of equal training loss.

    It is `select` by weakness, with its cheap rivals beside it.

    Parameters
    ----------
    estimators : sequence of fitted estimators, or dict of str to fitted estimator
        At least two.
    X, y : array-like of shape (n_samples, n_features), (n_samples,) or (n_samples, n_outputs)
        The training rows.
    X_probe : array-like of shape (n_probes, n_features), default=None
        Inputs not seen in training, as the networks see them. None draws ten, see `Weakness`.
    within : float or None, default=0.01
        See `select`.
    **given : dict
        Further parameters of `select`, such as ``validation`` and ``n_jobs``.

    Returns
    -------
    Selection

    Raises
    ------
    ValueError, TypeError
        See `select`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skflat import FlatMLPClassifier
    >>> from skflat.experiments import select_weakest
    >>> X, y = load_iris(return_X_y=True)
    >>> settings = {"solver": "lbfgs", "alpha": 1, "max_iter": 3000, "measures": None}
    >>> nets = [FlatMLPClassifier((8,), random_state=k, **settings).fit(X, y) for k in range(3)]
    >>> found = select_weakest(nets, X, y)
    >>> found.by
    'Weakness'
    """
    by = Weakness(X_probe=X_probe)
    rivals = tuple(name for name in RIVALS if name != "weakness")
    return select(estimators, X, y, by, **{"rivals": rivals, "within": within, **given})


class Selection:
    """The result of `select`.

    Parameters
    ----------
    models : dict of str to fitted estimator
    by : str
    values : dict of str to ndarray of shape (n_models,)
    signs : dict of str to int
        1 if the largest value is chosen, -1 if the smallest is.
    equal : ndarray of bool of shape (n_models,), default=None
        The models to choose from. None is all.

    Attributes
    ----------
    best : fitted estimator
        The model that ``by`` chooses.
    name : str or int
        Its name, or its number in a sequence.
    index : int
        Its place.
    by : str
        The name of what chose.
    names : list
        Of all models.
    values : dict of str to ndarray of shape (n_models,)
        All measures of all models, and the scores of validation rows.
    choices : dict of str to str or int
        The name of the model that each measure chooses.
    agreement : dict of str to float
        Spearman's rank correlation of each measure with ``by``, in the direction in which each
        chooses, over the models to choose from. It is NaN if one of them is the same for all.
    """

    def __init__(self, models, by, values, signs, equal=None):
        equal = np.ones(len(models), dtype=bool) if equal is None else equal
        ranked = {
            name: np.where(equal, signs[name] * each, np.nan) for name, each in values.items()
        }
        known = {name: each for name, each in ranked.items() if not np.isnan(each).all()}
        self.names, self.by = list(models), by
        self.values = {name: values[name] for name in known}
        places = {name: int(np.nanargmax(each)) for name, each in known.items()}
        self.choices = {name: self.names[place] for name, place in places.items()}
        self.index, self.name = places[by], self.choices[by]
        self.best = models[self.name]
        self.agreement = {name: _correlation(known[by], each) for name, each in known.items()}

    def to_frame(self):
        """A pandas DataFrame with one row for each model, and a column for each measure.

        Returns
        -------
        pandas.DataFrame
        """
        return pandas_for("to_frame").DataFrame(self.values, index=self.names)

    def __str__(self):
        lines = [f"{'measure':<20}{'chooses':>12}{'value':>12}{'agreement':>12}"]
        for name, choice in self.choices.items():
            value = self.values[name][self.names.index(choice)]
            lines.append(f"{name:<20}{choice!s:>12}{value:>12.5g}{self.agreement[name]:>12.2f}")
        return "\n".join(lines)

    __repr__ = __str__


def _named(models):
    """The models by name or number."""
    # A Pipeline would be taken for a sequence of its steps.
    if hasattr(models, "fit") or not isinstance(models, Iterable):
        raise TypeError(
            f"models must be a sequence or a dict of fitted estimators, not {models!r}."
        )
    named = dict(models) if isinstance(models, Mapping) else dict(enumerate(models))
    if len(named) < 2:
        raise ValueError(f"models must be at least two fitted estimators, got {len(named)}.")
    return named


def _of_equal_loss(models, X, y, within, max_samples, random_state):
    """Which models have the least training loss up to a share of that of the best constant."""
    if within is None:
        return np.ones(len(models), dtype=bool)
    if not (isinstance(within, Real) and not isinstance(within, bool) and within >= 0):
        raise ValueError(f"within must be None or a number >= 0, got {within!r}.")
    rows = sample_rows(X, y, None, max_samples, random_state)
    problems = [as_problem(model, *rows) for model in models]
    losses = np.array([problem.loss for problem in problems])
    return losses <= np.nanmin(losses) + within * problems[0].objective.constant_loss()


def _criteria(by, rivals, validation, random_state):
    """What chooses, then what else there is: measures, and None for the validation rows."""
    wanted = [by, *([rivals] if isinstance(rivals, str | Measure) else rivals or ())]
    if validation is not None:
        if not (isinstance(validation, tuple | list) and len(validation) == 2):
            raise ValueError("validation must be a tuple (X_val, y_val) or None.")
        wanted.append(VALIDATION)
    elif VALIDATION in wanted:
        raise ValueError("'validation' needs rows: validation=(X_val, y_val).")
    criteria = {}
    for each in wanted:
        name, criterion = _criterion(each, random_state)
        if isinstance(each, Measure) and each not in criteria.values():
            same = sum(type(other) is type(each) for other in criteria.values())
            name += f" {same + 1}" if name in criteria else ""
        criteria.setdefault(name, criterion)
    return criteria


def _criterion(each, random_state):
    if isinstance(each, Measure):
        return type(each).__name__, each
    if isinstance(each, str) and each == VALIDATION:
        return each, None
    if isinstance(each, str) and each in MEASURES:
        measure = MEASURES[each]()
        if "random_state" in measure.get_params():
            measure.set_params(random_state=random_state)
        return each, measure
    raise ValueError(
        f"by and rivals must be measures, 'validation' or names among {sorted(MEASURES)}, got "
        f"{each!r}."
    )


def _correlation(first, second):
    known = ~(np.isnan(first) | np.isnan(second))
    if len(set(first[known])) < 2 or len(set(second[known])) < 2:
        return np.nan
    return float(spearmanr(first[known], second[known]).statistic)

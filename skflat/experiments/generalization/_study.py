"""The networks of a grid, and how well each measure ranks them."""

from numbers import Real

import numpy as np

from ...measures import MEASURES, pandas_for
from ._environments import clear_pairs, environments, sign_error
from ._granulated import along, granulated
from ._information import conditional_information
from ._pairs import N_RESAMPLES, interval, resamples, signs, tau_b
from ._partial import partial_rank


class GeneralizationStudy:
    """The networks of `predicts_generalization`, and how well each measure ranks them.

    Every coefficient is positive if the measure promises the truth: if networks that it calls
    flatter have the better outcome. Networks that are not ``fitted``, or whose outcome is NaN, are
    left out, and for each measure those where it is NaN.

    Parameters
    ----------
    runs : list of dict
        One dict for each network: its place on every axis, ``seed``, ``fitted``, ``score`` and the
        measures. Those of a checkpoint are
        ``pandas.read_csv(checkpoint, comment="#").to_dict("records")``.
    axes : list of str
        The hyper-parameters.
    measures : list of str, or dict of str to {1, -1}
        The measures, and whether greater (1) or smaller (-1) promises a better outcome. Of a list
        the registry tells this; a name that is not in it has 1.
    shifts : list of str, default=()
        Further outcomes.

    Attributes
    ----------
    runs, axes, shifts
        As given.
    measures : dict of str to int

    Examples
    --------
    >>> from skflat.experiments import GeneralizationStudy
    >>> runs = [
    ...     {"rate": rate, "width": width, "seed": 0, "score": rate + width, "follows": rate}
    ...     for rate in (1, 2, 3)
    ...     for width in (10, 20, 30)
    ... ]
    >>> study = GeneralizationStudy(runs, ["rate", "width"], ["follows"])
    >>> study.granulated().loc["follows"].tolist()
    [1.0, 0.0, 0.5]
    """

    def __init__(self, runs, axes, measures, *, shifts=()):
        self.runs = runs
        self.axes = list(axes)
        self.measures = (
            dict(measures)
            if isinstance(measures, dict)
            else {name: getattr(MEASURES.get(name), "sign", 1) for name in measures}
        )
        self.shifts = list(shifts)
        needed = {*self.axes, *self.measures, *self.shifts, "seed", "score"}
        missing = sorted({name for run in runs for name in needed - set(run)})
        if missing or not runs:
            raise ValueError(
                "runs must be dicts, one for each network, and "
                + (f"some lack {missing}." if missing else "there are none.")
            )

    def to_frame(self):
        """A pandas DataFrame with one row for each network.

        Returns
        -------
        pandas.DataFrame
        """
        pd = pandas_for("to_frame")

        return pd.DataFrame(self.runs)

    def where(self, **values):
        """The study of some of the networks only.

        Parameters
        ----------
        **values : dict
            For names of axes (or other columns) the one value that is to be kept, as `to_frame`
            shows it. An axis with a single value is no axis any more.

        Returns
        -------
        GeneralizationStudy

        Raises
        ------
        ValueError
            If a name is unknown, or no network has these values.
        """
        unknown = sorted(set(values) - set(self.runs[0]))
        if unknown:
            raise ValueError(f"The networks have no {unknown}, but {sorted(self.runs[0])}.")
        runs = [each for each in self.runs if all(each[k] == v for k, v in values.items())]
        if not runs:
            raise ValueError(f"No network has {values}.")
        axes = [name for name in self.axes if name not in values]
        return GeneralizationStudy(runs, axes, self.measures, shifts=self.shifts)

    def summary(self, outcome="score", given=()):
        """A pandas DataFrame with one row for each measure.

        Parameters
        ----------
        outcome : str, default="score"
            What is to be predicted: ``"score"``, the name of a shift, or ``"gap"``, the training
            score minus the test score. A smaller gap is better.
        given : sequence of str, default=()
            Measures or other columns of numbers for the partial rank correlation. ``partial`` is
            there if any are given, and a measure among them is not held fixed for itself.

        Returns
        -------
        pandas.DataFrame
            With the columns

            * ``n``, the number of networks;
            * ``tau``, Kendall's tau-b;
            * ``granulated``, the mean agreement of pairs that differ in one hyper-parameter and
              have the same seed, averaged over the axes (ties count 0);
            * ``information``, what the order by the measure tells of the order by the outcome if
              the worst choice of up to two hyper-parameters is known of both networks, as a share
              of what there is to tell (`Jiang and others, arXiv:1912.02178`);
            * ``sign_error`` and ``worst_sign_error``, the mean and the largest share of pairs in
              the wrong order over the environments. An environment is two settings that differ in
              one hyper-parameter, with all seeds (arXiv:2010.11924). Only pairs that the test rows
              tell apart by two standard errors count;
            * ``worst_change``, the same for the worst change of one hyper-parameter from one value
              to another, pooled over all others;
            * ``partial``, Spearman's correlation with the given columns held fixed;
            * ``..._low`` and ``..._high``, ends of 95 % percentile intervals from a bootstrap of
              settings with all their seeds.

        Raises
        ------
        ValueError
            If the outcome is unknown, fewer than two networks have it, or a column of ``given`` is
            unknown or no numbers.
        """
        pd = pandas_for("summary")

        given = [given] if isinstance(given, str) else given
        self._check_given(given)
        table = Table(self, outcome)
        rows = {name: table.row(name, given) for name in self.measures}
        return pd.DataFrame(rows.values(), index=list(rows))

    def _check_given(self, given):
        for name in given:
            values = [each[name] for each in self.runs if name in each]
            if not values or not all(isinstance(each, Real) for each in values):
                raise ValueError(f"given has {name!r}, which is no column of numbers.")

    def granulated(self, outcome="score"):
        """A pandas DataFrame of the mean agreement along every axis, and over all axes.

        A measure that only follows one hyper-parameter has 0 along all others.

        Parameters
        ----------
        outcome : str, default="score"
            As in `summary`.

        Returns
        -------
        pandas.DataFrame
        """
        pd = pandas_for("granulated")

        table = Table(self, outcome)
        rows = {}
        for name in self.measures:
            part = table.of(name)
            by_axis, mean = granulated(part.agreement, part.axes)
            rows[name] = [*by_axis[:, 0], mean[0]]
        return pd.DataFrame(rows, index=[*self.axes, "mean"]).T

    def environments(self, outcome="score"):
        """A pandas DataFrame of sign errors, with one row for each environment.

        Parameters
        ----------
        outcome : str, default="score"
            As in `summary`.

        Returns
        -------
        pandas.DataFrame
            With the columns ``axis``, ``from``, ``to`` and ``others``, a column of sign errors for
            every measure, and ``n_pairs``, the number of pairs that the test rows tell apart.
        """
        pd = pandas_for("environments")

        table = Table(self, outcome)
        rows = {}
        for name in self.measures:
            for where, error, n_pairs in table.of(name).errors():
                row = rows.setdefault(where, {**table.described(*where), "n_pairs": 0})
                row[name], row["n_pairs"] = error, max(n_pairs, row["n_pairs"])
        return pd.DataFrame(list(rows.values()))


class Table:
    """The networks of a study that count for one outcome, as arrays.

    Parameters
    ----------
    study : GeneralizationStudy
    outcome : str
    """

    def __init__(self, study, outcome):
        known = {"score", "gap", *study.shifts}
        if outcome not in known:
            raise ValueError(f"outcome must be one of {sorted(known)}, got {outcome!r}.")
        self.study = study
        runs = [each for each in study.runs if each.get("fitted", 1)]
        target = np.array([_outcome(each, outcome) for each in runs], float)
        self.runs = [each for each, value in zip(runs, target, strict=True) if np.isfinite(value)]
        self.target = target[np.isfinite(target)]
        if len(self.runs) < 2:
            raise ValueError(f"Only {len(self.runs)} networks are fitted and have a {outcome!r}.")
        self.seeds = np.array([each["seed"] for each in self.runs])
        labels = [[each[axis] for each in self.runs] for axis in study.axes]
        self.values = [list(dict.fromkeys(each)) for each in labels]
        self.levels = np.array(
            [
                [places.index(label) for label in column]
                for places, column in zip(self.values, labels, strict=True)
            ],
            dtype=int,
        ).reshape(len(study.axes), len(self.runs))
        error = self.column("score_error") if outcome == "score" else np.zeros(len(self.runs))
        self.signs, self.clear = signs(self.target), clear_pairs(self.target, error)
        _, setting = np.unique(self.levels, axis=1, return_inverse=True)
        self.setting = setting.ravel() if len(study.axes) else np.zeros(len(self.runs), int)
        self.weights = resamples(self.setting)

    def column(self, name):
        """A column of the runs; NaN for those that do not have it."""
        return np.array([each.get(name, np.nan) for each in self.runs], float)

    def of(self, name):
        """The networks for which a measure is known."""
        return Part(self, name)

    def described(self, axis, ends, others):
        """An environment in the study's names."""
        names, values = self.study.axes, self.values
        rest = [(names[k], values[k]) for k in range(len(names)) if k != axis]
        return {
            "axis": names[axis],
            "from": values[axis][ends[0]],
            "to": values[axis][ends[1]],
            "others": ", ".join(
                f"{name}={value[place]}" for (name, value), place in zip(rest, others, strict=True)
            ),
        }

    def row(self, name, given):
        """The row of a measure in the summary."""
        part = self.of(name)
        taus = [tau_b(part.signs, part.outcome, each) for each in (None, part.weights)]
        means = [granulated(part.agreement, part.axes, each)[1] for each in (None, part.weights)]
        return {
            "n": len(part.kept),
            **_with_interval("tau", *taus),
            **_with_interval("granulated", *means),
            "information": conditional_information(part.signs, part.outcome, part.levels),
            **part.worst(),
            **(part.partial([each for each in given if each != name]) if given else {}),
        }


class Part:
    """The networks of a table for which one measure is known.

    Parameters
    ----------
    table : Table
    name : str
        Of the measure.
    """

    def __init__(self, table, name):
        values = table.study.measures[name] * table.column(name)
        self.table = table
        self.kept = np.flatnonzero(~np.isnan(values))
        self.values, square = values[self.kept], np.ix_(self.kept, self.kept)
        self.signs, self.outcome = signs(self.values), table.signs[square]
        self.agreement, self.clear = self.signs * self.outcome, table.clear[square]
        self.levels, self.weights = table.levels[:, self.kept], table.weights[:, self.kept]
        self.axes = along(self.levels, table.seeds[self.kept])

    def errors(self):
        """Environments with their sign errors and numbers of clear pairs."""
        for axis, ends, others, first, second in environments(self.levels):
            yield (axis, ends, others), *sign_error(self.agreement, self.clear, first, second)

    def worst(self):
        """Mean and worst sign errors, over environments and over changes pooled over the rest."""
        found = [each for each in self.errors() if each[2]]
        pooled = {}
        for (axis, ends, _), error, n_pairs in found:
            wrong, of = pooled.get((axis, ends), (0.0, 0))
            pooled[axis, ends] = wrong + error * n_pairs, of + n_pairs
        errors = [error for _, error, _ in found]
        return {
            "sign_error": float(np.mean(errors)) if errors else np.nan,
            "worst_sign_error": max(errors, default=np.nan),
            "worst_change": max((wrong / of for wrong, of in pooled.values()), default=np.nan),
        }

    def partial(self, given):
        """The partial rank correlation and its interval."""
        fixed = [self.table.column(each)[self.kept] for each in given]
        columns = np.array([self.values, self.table.target[self.kept], *fixed])
        whole = ~np.isnan(columns).any(axis=0)
        first, second, *fixed = columns[:, whole]
        rows = _rows_of(self.weights[:, whole])
        draws = np.array([partial_rank(first[k], second[k], [f[k] for f in fixed]) for k in rows])
        found = np.array([partial_rank(first, second, fixed)])
        return _with_interval("partial", found, draws)


def _rows_of(weights):
    """The rows of every bootstrap sample, each as often as it counts."""
    counts = weights.astype(int)
    return [np.repeat(np.arange(counts.shape[1]), counts[k]) for k in range(N_RESAMPLES)]


def _outcome(run, outcome):
    return run["score"] - run["train_score"] if outcome == "gap" else run[outcome]


def _with_interval(name, found, draws):
    low, high = interval(draws)
    return {name: float(found[0]), f"{name}_low": low, f"{name}_high": high}

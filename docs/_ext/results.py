"""The directive ``results``: a table of a benchmark, computed from its CSV when the site is built.

    ```{results} default_solver
    ```

Below the table is the command that makes the CSV. Statistics are those of the benchmarks. A table
that is a sentence is put as one.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from _intervals import partial_spearman, with_interval
from _study_report import compared, holm
from arbiter import N_ROWS, read
from docutils import nodes
from docutils.parsers.rst import directives
from entropy_and_selection import METHODS, as_text, chosen
from pools import POOLS, gains, weakness_less
from scipy.stats import rankdata, studentized_range, ttest_rel
from sphinx.util.docutils import SphinxDirective

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
IMAGES = ["fashion_mnist", "mnist"]
#: Networks that a set needs before its correlations are shown.
FEWEST = 100
NOISE = {0.0: "0 %", 0.2: "20 %", 0.4: "40 %"}


class Table(NamedTuple):
    """How a table is made: its function, the file that it reads, and what makes that file."""

    make: object
    file: str
    command: str


TABLES = {}


def table(file, command):
    """Register a function from the file's DataFrame to a DataFrame of cells, or to a sentence."""

    def registered(make):
        TABLES[make.__name__] = Table(make, file, command)
        return make

    return registered


class Results(SphinxDirective):
    """Show a table of `TABLES`, or its sentence."""

    required_arguments = 1
    option_spec = {"no-command": directives.flag}

    def run(self):
        """Compute, and parse as Markdown what came of it."""
        found = TABLES[self.arguments[0]]
        path = BENCHMARKS / found.file
        self.env.note_dependency(os.fspath(path))
        made = found.make(pd.read_csv(path, comment="#"))
        text = made if isinstance(made, str) else as_markdown(made)
        if not isinstance(made, str) and "no-command" not in self.options:
            text += f"\n\n*Made by* `{found.command}` *from* `benchmarks/{found.file}`*.*"
        container = nodes.container()
        self.state.nested_parse(text.splitlines(), self.content_offset, container)
        return container.children


def setup(app):
    """Add the directive."""
    app.add_directive("results", Results)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def as_markdown(frame):
    """A table whose first column is the index; all others are aligned to the right."""
    heads = [frame.index.name or "", *map(str, frame.columns)]
    lines = [heads, ["---", *["---:"] * frame.shape[1]]]
    lines += [[str(cell) for cell in row] for row in frame.itertuples()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def quoted(names):
    """Names of solvers as code, their settings as text."""
    return [name if " " in name else f"`{name}`" for name in names]


def interval(found, digits=2):
    """A statistic with its interval."""
    value, low, high = (f"{number:+.{digits}f}" for number in found)
    return f"{value} [{low}, {high}]"


# --------------------------------------------------------------------------- does it pay?


@table("default_solver.csv", "python benchmarks/default_solver.py --data DIR")
def default_solver(frame):
    """Differences to adam, and on how many cells they are significant."""
    scores = frame.pivot_table(index=["cell", "seed"], columns="candidate", values="score")
    rows, solvers = {}, []
    for name in scores.columns.drop("adam 0"):
        pairs = [part[[name, "adam 0"]].to_numpy() for _, part in scores.groupby("cell")]
        gains = np.array([100 * (pair[:, 0] - pair[:, 1]).mean() for pair in pairs])
        varies = [np.ptp(pair[:, 0] - pair[:, 1]) > 0 for pair in pairs]
        p = [ttest_rel(*q.T).pvalue if v else 1.0 for q, v in zip(pairs, varies, strict=True)]
        significant = holm(np.array(p))
        behind, ahead = (int((significant & (s * gains > 0)).sum()) for s in (-1, 1))
        solver, rho = name.rsplit(" ", 1)
        gains = [f"{gain:+.1f}" for gain in (gains.mean(), gains.min(), gains.max())]
        rows[name] = [rho, *gains, behind, ahead]
        solvers.append(solver)
    columns = ["rho", "mean, points", "worst cell", "best cell", "cells behind", "cells ahead"]
    found = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    found = found.set_axis(pd.Index(solvers, name="solver"))
    return found.sort_values("mean, points", key=lambda c: -c.astype(float))


def study(frame):
    """The study's scores by cell and seed, their means over the seeds, and groups of methods."""
    cells = frame["data"] + frame["noise"].map(" {:.0%}".format)
    frame = frame.assign(cell=cells)
    groups = frame.drop_duplicates("method").set_index("method")["group"]
    scores = frame.pivot_table(index=["cell", "seed"], columns="method", values="test")
    return scores, scores.groupby("cell").mean(), groups


@table("does_it_pay.csv", "python benchmarks/does_it_pay.py --data DIR")
def does_it_pay(frame):
    """Average ranks, and mean scores on images and on tables."""
    _, means, groups = study(frame)
    ranked = means.drop(columns=groups.index[groups == "yardstick"]).dropna(axis=1)
    ranks = pd.Series(rankdata(-ranked, axis=1).mean(axis=0), ranked.columns).sort_values()
    is_image = frame["data"].isin(IMAGES).map({True: "images", False: "tables"})
    by_kind = frame.groupby([is_image, "noise", "method"])["test"].mean()
    rows = {}
    others = [name for name in means.columns if name not in ranks.index]
    for name in [*ranks.index, *others]:
        rank = f"{ranks[name]:.1f}" if name in ranks else ""
        cells = [
            " / ".join(_score(by_kind, kind, noise, name) for noise in NOISE)
            for kind in ("images", "tables")
        ]
        rows[name] = [rank, *cells]
    columns = ["average rank", "images, 0 / 20 / 40 %", "tables, 0 / 20 / 40 %"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")


def _score(means, kind, noise, method):
    key = (kind, noise, method)
    return f"{means[key]:.3f}".removeprefix("0") if key in means.index else "-"


@table("does_it_pay.csv", "python benchmarks/does_it_pay.py --data DIR")
def does_it_pay_verdict(frame):
    """In words: how many seeds, the critical difference, and what is significant."""
    scores, means, groups = study(frame)
    ranked = means.drop(columns=groups.index[groups == "yardstick"]).dropna(axis=1)
    n, k = ranked.shape
    critical = studentized_range.ppf(0.95, k, np.inf) / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n))
    counts, behind = {}, {}
    for group in ("joint", "flat"):
        found = [compared(m, scores, means, groups) for m in groups.index[groups == group]]
        cells = pd.concat(found)
        lost = cells["significant"] & (cells["difference"] < 0)
        behind[group] = ", ".join(dict.fromkeys(cells.index[lost])) or "none"
        counts[group] = [
            int((cells["significant"] & (sign * cells["difference"] > 0)).sum()) for sign in (-1, 1)
        ]
        counts[group].append(len(cells))
    joint, alone = counts["joint"], counts["flat"]
    seeds = frame["seed"].nunique()
    return (
        f"These are {len(frame):,} results of {seeds} seeds on {n} cells. Average ranks differ "
        f"significantly if they are {critical:.1f} apart (Nemenyi, 5 %). Beside the baseline that "
        "is best in a cell (paired over the seeds, 5 %, Holm), the settings that tune `rho` "
        f"together with `alpha` are significantly behind on {joint[0]} and ahead on {joint[1]} of "
        f"{joint[2]} comparisons (behind on: {behind['joint']}). Those that tune `rho` alone are "
        f"behind on {alone[0]} and ahead on {alone[1]} of {alone[2]}."
    )


@table("does_it_pay.csv", "python benchmarks/does_it_pay.py --data DIR")
def does_it_pay_joint(frame):
    """The settings with alpha and rho, each against the best baseline of every cell."""
    scores, means, groups = study(frame)
    rows = {}
    for name in groups.index[groups.isin(["joint", "flat"])]:
        found = compared(name, scores, means, groups)
        worst, best = 100 * found["difference"].min(), 100 * found["difference"].max()
        signs = found["significant"] * np.sign(found["difference"])
        rows[name] = [f"{100 * found['difference'].mean():+.1f}", f"{worst:+.1f}", f"{best:+.1f}"]
        rows[name] += [int((signs < 0).sum()), int((signs > 0).sum()), len(found)]
    columns = ["mean, points", "worst cell", "best cell", "behind", "ahead", "cells"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")


# ------------------------------------------------------------------------------- networks


@table("label_noise.csv", "python benchmarks/label_noise.py")
def label_noise(frame):
    """Test accuracy at the radius of the best validation score."""
    best = frame.sort_values("validation", kind="stable", ascending=False)
    best = best.drop_duplicates(["noise", "solver", "seed"])
    rows = {}
    for name in dict.fromkeys(frame["solver"]):
        parts = [best[(best["solver"] == name) & (best["noise"] == noise)] for noise in NOISE]
        rows[quoted([name])[0]] = [_mean_and_radii(part) for part in parts]
    columns = [f"{noise} noise" for noise in NOISE.values()]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("solver")


def _mean_and_radii(part):
    radii = ", ".join(f"{rho:g}" for rho in sorted(set(part["rho"][part["rho"] > 0])))
    text = f"{part['test'].mean():.4f} ± {part['test'].sem():.4f}"
    return text + (f" ({radii})" if radii else "")


@table("solvers_on_real_data.csv", "python benchmarks/solvers_on_real_data.py")
def solvers_on_real_data(frame):
    """Average rank of every solver over the sets, clean and noisy."""
    ranks = {}
    for noise, part in frame.groupby("noise"):
        scores = part.pivot_table(index="data", columns="solver", values="score").fillna(0)
        ranks["clean rows" if noise == 0 else f"{noise:.0%} noise"] = pd.Series(
            rankdata(-scores, axis=1).mean(axis=0), scores.columns
        )
    found = pd.DataFrame(ranks)
    found = found.loc[found.mean(axis=1).sort_values().index].map("{:.1f}".format)
    return found.set_axis(quoted(found.index)).rename_axis("solver")


@table("escape.csv", "python benchmarks/escape.py")
def escape(frame):
    """Where every solver is after its run, and where it is at equal loss."""
    last = frame.groupby(["stage", "solver", "seed"], sort=False).last()
    means = last.groupby(["stage", "solver"], sort=False).mean(numeric_only=True)
    run, polished = (means.loc[stage] for stage in dict.fromkeys(frame["stage"]))
    found = pd.DataFrame(
        {
            "test after the run, %": (100 * run["test"]).map("{:.1f}".format),
            "training then, %": (100 * run["train"]).map("{:.1f}".format),
            "training loss then": run["loss"].map("{:.2g}".format),
            "test at equal loss, %": (100 * polished["test"]).map("{:.1f}".format),
            "trace over loss there": (polished["trace"] / polished["loss"]).map("{:,.0f}".format),
        }
    )
    order = polished["test"].sort_values(ascending=False).index
    found = found.loc[order]
    return found.set_axis(quoted(found.index)).rename_axis("solver")


@table("uncertainty.csv", "python benchmarks/uncertainty.py --data DIR")
def uncertainty(frame):
    """Mean log-loss by set and way of finding uncertainty."""
    means = frame.pivot_table(index="method", columns="set", values="log_loss", sort=False)
    return means.map(lambda x: "" if np.isnan(x) else f"{x:.3f}").rename_axis("mean log-loss")


@table("ratings.csv", "python benchmarks/ratings.py --data DIR")
def ratings(frame):
    """Mean test error by set and method, with the deviation over splits, and seconds of a fit."""
    columns = {}
    for name, part in frame.groupby("set", sort=False):
        groups = part.groupby("method", sort=False)
        columns[name] = {method: with_spread(found["error"]) for method, found in groups}
        columns[f"{name}, seconds"] = groups["seconds"].median().map("{:.0f}".format)
    return pd.DataFrame(columns).rename_axis("test RMSE")


def with_spread(values):
    """A mean, with the standard deviation if there are several values."""
    told = f"{values.mean():.4f}"
    return told if len(values) == 1 else f"{told} ± {values.std():.4f}"


# ------------------------------------------------------------------------ what predicts?


@table("weakness_model_selection.csv", "python benchmarks/weakness_model_selection.py")
def weakness_ranking(frame):
    """Spearman's correlation of every measure with the test accuracy, beside the published one."""
    published = {
        "mnist": {"weakness (hidden)": "+.37", "trace": "-.23", "norm": "+.02"},
        "fashion_mnist": {"weakness (hidden)": "+.38", "trace": "-.24", "norm": "-.23"},
    }
    frame = frame[frame["draw"] == 0]
    kept = ["weakness (hidden)", "trace", "norm", "live units", "effective rank"]
    kept.append("normalized margin")
    columns = {}
    for name, part in frame.groupby("data", sort=False):
        columns[name] = [
            interval(with_interval(partial_spearman, [part["test"], part[key]])) for key in kept
        ]
        columns[f"{name}, published"] = [published[name].get(key, "") for key in kept]
    return pd.DataFrame(columns, index=kept).rename_axis("rank correlation with accuracy")


@table("orbit_study.csv", "python benchmarks/orbit_study.py")
def orbit_study(frame):
    """Does the flattest point of the orbit predict better?"""
    kept = ["raw trace", "norm-balanced trace", "orbit trace", "weakness"]
    columns = {
        f"{name}, {len(part)} networks": [
            interval(with_interval(partial_spearman, [part["test"], part[key]])) for key in kept
        ]
        for name, part in frame.groupby("set", sort=False)
    }
    return pd.DataFrame(columns, index=kept).rename_axis("rank correlation with accuracy")


@table("vanishing_advantage.csv", "python benchmarks/vanishing_advantage.py")
def vanishing_advantage(frame):
    """Gain of large batches by the number of rows, beside Bennett's figures."""
    published = {500: "+1.21", 2000: "+1.57", 6000: "+0.98", 12000: "+0.52"}
    rhos = {500: "-.75", 2000: "-.82", 6000: "-.78", 12000: "-.84"}
    rows = {}
    for n_rows, part in frame.groupby("rows"):
        small, large = (part[part["batches"] == name] for name in ("small", "large"))
        gain = with_interval(
            lambda a, b, axis=-1: a.mean(axis=axis) - b.mean(axis=axis),
            [100 * large["test"], 100 * small["test"]],
            paired=False,
        )
        rho = partial_spearman(part["trace"], part["test"])
        rows[f"{n_rows:,}"] = [
            interval(gain),
            published[n_rows],
            f"{small['trace'].mean():.1f}",
            f"{large['trace'].mean():.1f}",
            f"{rho:+.2f}",
            rhos[n_rows],
        ]
    columns = ["gain of large batches, points", "published", "trace, small", "trace, large"]
    columns += ["rank correlation of trace and accuracy", "published "]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("rows")


@table("arbiter.mnist.csv", "python benchmarks/arbiter.py --data DIR")
def arbiter(frame):
    """Kendall's tau of every measure with the score, for every set that has networks enough."""
    studies = {name: read(name, "full") for name in N_ROWS}
    tables = {}
    for name, study in studies.items():
        if study is not None and len(study.to_frame()) >= FEWEST:
            found, size = study.summary(), len(study.to_frame())
            columns = found[["tau", "tau_low", "tau_high"]].to_numpy()
            tables[f"{name}, {size} networks"] = pd.Series([*map(interval, columns)], found.index)
    table = pd.DataFrame(tables)
    best = table.iloc[:, 0].map(lambda text: float(text.split()[0]))
    return (
        table.loc[best.sort_values(ascending=False).index].rename_axis("Kendall's tau").fillna("")
    )


@table("entropy_and_selection.csv", "python benchmarks/entropy_and_selection.py --data DIR")
def pattern_entropy(frame):
    """Training with the bonus on the activation pattern, beside Adam and SAM."""
    frame = frame.assign(rho=frame["rho"].astype(str))
    best = {name: chosen(frame, name)[["test", "weakness"]].astype(float) for name in METHODS}
    rows = {}
    for name, found in best.items():
        less = found - best["adam"]
        rows[f"`{name}`"] = [
            f"{100 * found['test'].mean():.2f}",
            as_text(less["test"].to_numpy(), 100).replace("+-", "±"),
            f"{found['weakness'].mean():.3f}",
            as_text(less["weakness"].to_numpy(), 1).replace("+-", "±"),
        ]
    columns = ["test accuracy, %", "less `adam`, points", "weakness", "less `adam`"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("solver")


@table("pools.csv", "python benchmarks/pools.py --data DIR")
def pools(frame):
    """Gain of what each criterion chooses out of pools of a hundred networks."""
    return _of_pools(frame, lambda part, kind: gains(part, kind)["all pools"])


@table("pools.csv", "python benchmarks/pools.py --data DIR")
def pools_weakness(frame):
    """What weakness chooses, less every other choice."""
    return _of_pools(frame, weakness_less)


@table("pools.csv", "python benchmarks/pools.py --data DIR")
def pools_size(frame):
    """How many pools there are."""
    parts = [
        f"{len(part)} pools of {n_rows:,} rows, from {part['draw'].nunique()} draws"
        for n_rows, part in frame.groupby("rows")
    ]
    return f"The tables are of {', and '.join(parts)}."


def _of_pools(frame, statistic):
    columns = {
        f"{kind}, {n_rows:,} rows": statistic(part, kind)
        for kind in POOLS
        for n_rows, part in frame.groupby("rows")
    }
    found = pd.DataFrame(columns, index=dict.fromkeys(k for c in columns.values() for k in c.index))
    return found.fillna("").replace({r"\+-": "±"}, regex=True).rename_axis("chosen by")


# ------------------------------------------------------------------------- binary weights


@table("wide_minima/decisive.csv", "python benchmarks/wide_minima/decisive.py")
def decisive(frame):
    """What predicts the accuracy among all solutions, at half load."""
    part = frame[frame["load"] == 0.5]
    rows = {}
    for name, group in part.groupby("measure", sort=False):
        rows[name] = [_of_instances(group[key]) for key in ("rho", "given_margin")]
    columns = ["rank correlation", "with the margin held fixed"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("measure")


def _of_instances(values):
    values = values.dropna().to_numpy()
    if len(values) == 0:
        return ""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (4000, len(values))).mean(axis=1)
    return interval((values.mean(), *np.percentile(means, [2.5, 97.5])), 3)


@table("wide_minima/storage.csv", "python benchmarks/wide_minima/storage.py")
def storage(frame):
    """Instances solved, by solver, size and load."""
    frame = frame.assign(solved=frame["n_errors"] == 0)
    found = frame.groupby(["solver", "n", "load"], sort=False)
    counts = found["solved"].agg(["sum", "size"])
    cells = counts["sum"].astype(str) + "/" + counts["size"].astype(str)
    best = counts[counts["sum"] > counts["size"] / 2].reset_index()
    rows = {}
    for (solver, n), part in best.groupby(["solver", "n"], sort=False):
        load = part["load"].max()
        rows[f"`{solver}`, {n:,} weights"] = [f"{load:g}", cells[solver, n, load]]
    columns = ["greatest load with more than half solved", "solved there"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("solver")


@table("wide_minima/tables.csv", "python benchmarks/wide_minima/tables.py --data DIR")
def one_bit_tables(frame):
    """Five-fold accuracy and size of linear models, by table."""
    means = frame.groupby(["model", "table"], sort=False).mean(numeric_only=True)
    bits = means["bits of the weights"].map("{:,.0f}".format)
    cells = means["test"].map("{:.3f}".format) + ", " + bits
    return cells.unstack("table").fillna("").rename_axis("accuracy, bits of the weights")


@table("wide_minima/many_classes.csv", "python benchmarks/wide_minima/many_classes.py --data DIR")
def many_classes(frame):
    """Accuracy and seconds with many classes, at default settings."""
    means = frame.groupby(["data", "solver"], sort=False)[["train", "test", "seconds"]].mean()
    rows = {
        f"{data}, `{solver}`": [
            *("" if np.isnan(row[key]) else f"{row[key]:.3f}" for key in ("train", "test")),
            f"{row['seconds']:.2g}",
        ]
        for (data, solver), row in means.iterrows()
    }
    columns = ["training accuracy", "test accuracy", "seconds"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("data, solver")

"""Rows of a CSV that outlive an interruption, tables in Markdown, and pictures in results/."""

from pathlib import Path

import pandas as pd

from skflat._parallel import run
from skflat.experiments import Checkpoint

RESULTS = Path(__file__).resolve().parents[2] / "results"


def complete(path, columns, values, function, tasks, jobs):
    """What ``function(*task)`` returns, lists of dicts, as one DataFrame.

    ``columns`` names what a task is made of, the first columns of the file, and ``values`` names
    the others. Tasks that the file has already are not done again, and new rows are appended as
    soon as they are there.
    """
    by_key = {tuple(map(_as_kept, task)): task for task in tasks}
    names = [*columns, *values]
    with Checkpoint(path, names, n_keys=len(columns), single=False) as done:
        missing = [by_key[key] for key in done.missing(by_key)]
        run(function, missing, jobs, then=lambda rows: done.add([*map(_kept, rows)]))
    return pd.DataFrame([row for key in by_key for row in done.rows[key]])


def _kept(row):
    return {name: _as_kept(value) for name, value in row.items()}


def _as_kept(value):
    """Numbers of six digits, as the file has them."""
    return value if isinstance(value, str) else float(f"{value:.6g}")


def print_markdown(heads, rows):
    """A table; numbers are aligned to the right."""
    print("\n| " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * (len(heads) - 1))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)


def save_picture(fig, name):
    RESULTS.mkdir(exist_ok=True)
    fig.savefig(RESULTS / f"{name}.png", dpi=120)
    print(f"Picture: results/{name}.png")

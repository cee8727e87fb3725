"""Tests of the examples: their form, their imports, and, if slow tests run, what they do."""

import ast
import importlib
import re
import runpy
import time
from itertools import pairwise
from pathlib import Path

import matplotlib
import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))
TREES = {path.stem: ast.parse(path.read_text()) for path in EXAMPLES}
CELL = re.compile(r"^# %%\n((?:#.*\n)*)", re.MULTILINE)
#: CPU seconds that a page may take, half a minute of an idle core.
MOST_SECONDS = 30


def imports(tree):
    """Pairs (module, name) of everything that is imported."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module, alias.name) for alias in node.names]
    return found


def test_there_are_many_examples():
    assert len(EXAMPLES) >= 16


def test_every_example_begins_with_a_title_and_says_what_it_is_about():
    for name, tree in TREES.items():
        title, line, empty, *text = ast.get_docstring(tree).splitlines()
        assert line == "=" * len(title), name
        assert not empty, name
        assert len(" ".join(text)) > 150, name


def test_every_example_explains_itself_in_cells_and_shows_a_picture():
    for path in EXAMPLES:
        source = path.read_text()
        assert sum(map(bool, CELL.findall(source))) >= 3, path.name
        assert source.count("plt.show()") >= 1, path.name
        assert source.rstrip().endswith("plt.show()"), path.name


def test_underlines_of_headings_are_as_long_as_the_headings():
    for path in EXAMPLES:
        for text in CELL.findall(path.read_text()):
            lines = [line.removeprefix("#").strip() for line in text.splitlines()]
            for above, line in pairwise(lines):
                if line and not line.strip("-"):
                    assert len(line) == len(above), (path.name, above)


def test_examples_import_only_public_names_that_exist():
    for example, tree in TREES.items():
        for module, name in imports(tree):
            if module.split(".")[0] == "skflat":
                assert "._" not in module, (example, module)
                assert name in importlib.import_module(module).__all__, (example, name)


def test_examples_need_no_other_packages_and_no_network():
    known = {"skflat", "sklearn", "numpy", "scipy", "matplotlib", "autograd"}
    standard = {"copy", "heapq", "itertools", "warnings"}
    for example, tree in TREES.items():
        for module, name in imports(tree):
            assert module.split(".")[0] in known | standard, (example, module)
            assert not (name or "").startswith("fetch_"), (example, name)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_draws(path, monkeypatch):
    matplotlib.use("Agg")
    plt = pytest.importorskip("matplotlib.pyplot")
    pictures = []

    def show():
        pictures.extend(plt.get_fignums())
        plt.close("all")

    monkeypatch.setattr(plt, "show", show)
    start = time.process_time()
    runpy.run_path(str(path), run_name="__main__")
    assert time.process_time() - start < MOST_SECONDS
    assert pictures

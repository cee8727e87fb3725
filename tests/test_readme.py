"""README fits on a screen, and what README and CONTRIBUTING show does what they say."""

import doctest
import importlib
import re
import sys
from types import ModuleType

import numpy as np
import pytest
from pages import FOLDER, blocks, run
from sklearn.base import clone

import skflat

IMPORTS = ("import ", "from ")
CONTRIBUTING = FOLDER / "CONTRIBUTING.md"


def section(heading):
    return CONTRIBUTING.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]


def code_of(text):
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_readme_is_one_screen_and_prints_what_it_says():
    path = FOLDER / "README.md"
    assert path.stat().st_size <= 7000
    ((code, printed),) = blocks(path)
    assert len(code.splitlines()) - code.count("import") <= 6
    assert printed
    run(path)


def test_a_model_and_a_solver_of_ones_own_take_ten_lines():
    (model, _), _, (solver, _), *_ = blocks(FOLDER / "docs/guide/extending.md")
    for code in (model.splitlines(), solver.splitlines()):
        assert len([line for line in code if line and not line.startswith(IMPORTS)]) <= 10


def test_an_estimator_of_ones_own_model():
    names = {"__name__": "contributing"}
    (block,) = code_of(section("An estimator of your own model"))
    exec(block, names)
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = X[:, 0] ** 2 + (X[:, 1] - X[:, 2]) ** 2
    reg = names["SquaresRegressor"](solver="lbfgs", random_state=0).fit(X, y)
    assert reg.score(X, y) > 0.999
    assert reg.measurements_.keys() == {"sharpness", "flatness"}
    assert clone(reg).get_params()["n_components"] == 2


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("A solver: one file and one line", ["RandomClimb"]),
        ("A measure: one file and one line", ["Steepness", "steepness"]),
        ("An estimator: one file and one line", ["FlatSoftmaxRegression"]),
    ],
)
def test_the_files_that_contributing_shows(heading, names, monkeypatch):
    """Its file is put where the text says, its examples run, and so do its tests."""
    text = section(heading)
    place = re.search(r"`(skflat/[\w/]+)\.py`:", text)[1].replace("/", ".")
    written, *others = code_of(text)
    module = ModuleType(place)
    module.__package__ = place.rpartition(".")[0]
    exec(written, vars(module))
    monkeypatch.setitem(sys.modules, place, module)
    home = importlib.import_module(".".join(place.split(".")[:2]))
    for name in names:
        for package in (home, skflat):
            monkeypatch.setattr(package, name, getattr(module, name), raising=False)
    for test in doctest.DocTestFinder().find(module, place, globs={}):
        assert doctest.DocTestRunner().run(test).failed == 0
    for block in others:
        shown = {"__package__": module.__package__}
        if "    ...\n" not in block:  # a line of a registry
            exec(block, shown)
        for check in [value for key, value in shown.items() if key.startswith("test_")]:
            check()

"""The code in README and CONTRIBUTING that is for users' own models does what it shows."""

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

FOLDER = Path(__file__).parents[1]
IMPORTS = ("import ", "from ")


def blocks(file="README.md", heading="## Your own model, your own solver"):
    section = (FOLDER / file).read_text().split(heading)[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def ran():
    """The names that the code has defined, block after block as a reader runs them."""
    names = {"__name__": "readme"}
    for block in blocks():
        exec(block, names)
    return names


def test_a_model_and_a_solver_of_ones_own_take_ten_lines():
    for block in blocks()[:2]:
        lines = [line for line in block.splitlines() if line and not line.startswith(IMPORTS)]
        assert len(lines) <= 10


def test_the_model_has_learnt_and_is_measured(ran):
    clf = ran["clf"]
    assert clf.score(ran["X"], ran["y"]) > 0.9
    assert clf.sharpness_ > 0
    assert clf.flatness_ > 0


def test_the_solver_and_what_was_trained_elsewhere(ran):
    assert ran["mlp"].solver.default_rho == 0.5
    assert ran["mlp"].score(ran["X"], ran["y"]) > 0.9
    assert ran["model"].n_outputs_ == 3


def test_an_estimator_of_ones_own_model():
    names = {"__name__": "contributing"}
    (block,) = blocks("CONTRIBUTING.md", "## An estimator of your own model")
    exec(block, names)
    X = np.random.default_rng(0).normal(size=(80, 3))
    y = X[:, 0] ** 2 + (X[:, 1] - X[:, 2]) ** 2
    reg = names["SquaresRegressor"](solver="lbfgs", random_state=0).fit(X, y)
    assert reg.score(X, y) > 0.999
    assert reg.measurements_.keys() == {"sharpness", "flatness"}
    assert clone(reg).get_params()["n_components"] == 2

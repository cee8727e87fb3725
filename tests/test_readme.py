"""The code of the README that extends the package does what it shows."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
HEADING = "## Your own model, your own solver"
IMPORTS = ("import ", "from ")


def blocks():
    section = README.read_text().split(HEADING)[1].split("\n## ")[0]
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
    assert ran["RandomClimb"]().default_rho == 0.5
    assert ran["model"].n_outputs_ == 3

"""A wrong keyword names those of the display, and a legend names what was fitted."""

import matplotlib

matplotlib.use("Agg")  # the pictures are looked at by no one

import pytest
from fitted import IRIS, SPECIES
from matplotlib import pyplot as plt
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat.displays import LandscapeDisplay, LocalEnergyDisplay, MarginDisplay

NETWORK = MLPClassifier((3,), solver="lbfgs", max_iter=5, random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("display", "wrong", "meant"),
    [
        (LandscapeDisplay, "n_pionts", "n_points"),
        (LocalEnergyDisplay, "n_drawz", "n_draws"),
        (MarginDisplay, "normalisation", "normalization"),
    ],
)
def test_a_wrong_keyword_is_refused_before_the_work(display, wrong, meant):
    # The estimator is not even fitted, so nothing can have been computed.
    with pytest.raises(TypeError, match=f"no parameter '{wrong}'. Did you mean '{meant}'") as found:
        display.from_estimator(NETWORK, IRIS, SPECIES, **{wrong: 3})
    assert all(name in str(found.value) for name in (meant, "sample_weight", "ax"))


def test_the_legend_names_the_last_step_within_pipelines_and_searches():
    search = GridSearchCV(make_pipeline(StandardScaler(), NETWORK), {"mlpclassifier__alpha": [1]})
    search.fit(IRIS, SPECIES)
    display = MarginDisplay.from_estimator(search, IRIS, SPECIES)
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["MLPClassifier"]

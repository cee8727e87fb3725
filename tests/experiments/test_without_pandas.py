"""Where pandas is missing, that is said before the work."""

import sys

import numpy as np
import pytest
from fitted import IRIS, SPECIES

from skflat import FlatMLPClassifier
from skflat.experiments import compare_solvers, emergence
from skflat.measures import compare, flatness_report


class Never(FlatMLPClassifier):
    """A network that must not be fitted."""

    def fit(self, X, y):
        raise AssertionError("It was fitted.")


def test_experiments_do_not_begin(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    message = r"needs pandas: pip install 'skflat\[pandas\]'"
    with pytest.raises(ImportError, match=f"compare_solvers {message}"):
        compare_solvers(Never(), IRIS, SPECIES, solvers=["adam", "sam"])
    with pytest.raises(ImportError, match=f"emergence {message}"):
        emergence(Never(), IRIS, SPECIES, size_param="hidden_layer_sizes", sizes=[1, 2])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_reports_print_without_it(monkeypatch):
    clf = FlatMLPClassifier((3,), max_iter=2, measures=None, random_state=0).fit(IRIS, SPECIES)
    for found in (
        flatness_report(clf, IRIS, SPECIES, measures=["sharpness"]),
        compare({"a": clf}, IRIS, SPECIES, measures=["sharpness"]),
    ):
        assert "sharpness" in str(found)
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "pandas", None)
            with pytest.raises(ImportError, match="to_frame needs pandas"):
                found.to_frame()
    assert np.isfinite(clf.loss_)

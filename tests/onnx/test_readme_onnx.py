"""The README's way to ONNX, in three lines."""

import re
from pathlib import Path

import numpy as np
import pytest
from fitted import IRIS, SPECIES
from numpy.testing import assert_allclose
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skflat import FlatMLPClassifier

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_three_lines_convert_a_pipeline():
    pytest.importorskip("skl2onnx")
    runtime = pytest.importorskip("onnxruntime")
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (lines,) = [block for block in blocks if "to_onnx" in block]
    assert lines.count("\n") == 3
    X = IRIS.astype(np.float32)
    network = FlatMLPClassifier((5,), max_iter=5, measures=None, random_state=0)
    names = {"pipe": make_pipeline(StandardScaler(), network).fit(X, SPECIES), "X": X}
    exec(lines, names)
    session = runtime.InferenceSession(
        names["onnx"].SerializeToString(), providers=["CPUExecutionProvider"]
    )
    _, P = session.run(None, {session.get_inputs()[0].name: X})
    assert_allclose(P, names["pipe"].predict_proba(X), atol=1e-6)

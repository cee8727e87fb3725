"""Where skl2onnx is missing, that is said."""

import sys

import pytest

from skflat.onnx import register


def test_it_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match=r"needs skl2onnx: pip install 'skflat\[onnx\]'"):
        register()

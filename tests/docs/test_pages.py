"""The code on the pages runs, without a warning, and prints what they say."""

import pytest
from pages import FOLDER, alike, blocks, pages, run

WITH_CODE = [path for path in pages() if path.parent != FOLDER and blocks(path)]


@pytest.mark.docs
@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: path.stem)
def test_the_code_of_a_page_prints_what_it_shows(path, tmp_path, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    monkeypatch.chdir(tmp_path)
    run(path)
    plt.close("all")


@pytest.mark.docs
def test_texts_are_alike_up_to_the_last_digits_of_numbers():
    assert alike("accuracy 0.978, 12 rows\n", "accuracy  0.97, 12 rows")
    assert not alike("accuracy 0.978, 12 rows", "accuracy 0.978, 13 rows")
    assert not alike("accuracy 0.578", "accuracy 0.978")
    assert not alike("a 1.0", "b 1.0")

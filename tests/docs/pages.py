"""The pages of the documentation: their code, what it prints, and their links."""

import contextlib
import io
import re
from pathlib import Path

FOLDER = Path(__file__).parents[2]
ROOT_PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
NUMBER = re.compile(r"[-+]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")


def pages():
    """All pages: those of the root, and those under docs that were not made by a build."""
    written = (FOLDER / "docs").rglob("*.md")
    made = {FOLDER / "docs" / name for name in ("_build", "api", "gallery")}
    found = [path for path in written if not made & set(path.parents)]
    return sorted([*found, *(FOLDER / name for name in ROOT_PAGES)])


def blocks(path):
    """Pairs of a block of code and the text that it prints, ``""`` for nothing."""
    return [(code, printed or "") for code, printed in BLOCK.findall(path.read_text())]


def run(path):
    """Run the blocks of a page one after the other as a reader would; their names."""
    names = {"__name__": "page"}
    for code, expected in blocks(path):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(code, str(path), "exec"), names)
        assert alike(out.getvalue(), expected), (code, out.getvalue(), expected)
    return names


def alike(text, other):
    """Whether two texts are the same up to small differences of numbers.

    Training amplifies the last bits, in which BLAS libraries differ. Integers differ in nothing.
    """
    if " ".join(NUMBER.sub("#", text).split()) != " ".join(NUMBER.sub("#", other).split()):
        return False
    pairs = zip(NUMBER.findall(text), NUMBER.findall(other), strict=True)
    return all(a == b or ("." in a and _close(a, b)) for a, b in pairs)


def _close(a, b):
    a, b = (float(number.replace(",", "")) for number in (a, b))
    return abs(a - b) <= 0.1 * abs(b) + 0.02

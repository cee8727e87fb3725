"""The reference has a page for every public name, and every docstring is complete."""

import inspect
import re
import sys

import pytest
from pages import FOLDER

CODES = {
    "GL07": "sections in the wrong order",
    "PR01": "parameters that are not documented",
    "PR02": "unknown parameters",
    "PR03": "parameters in the wrong order",
    "RT01": "no section of what it returns",
    "SS02": "a summary that begins with a small letter",
}


@pytest.fixture(scope="module")
def api_pages():
    sys.path.insert(0, str(FOLDER / "docs" / "_ext"))
    yield pytest.importorskip("api_pages")
    sys.path.pop(0)


@pytest.mark.docs
def test_every_public_name_has_one_page(api_pages, tmp_path):
    api_pages.write_pages(tmp_path)
    listed = [
        f"{path.stem}.{line.strip()}"
        for path in tmp_path.glob("skflat*.rst")
        for line in path.read_text().split(".. autosummary::")[1:]
        for line in line.split("\n\n")[1].splitlines()
    ]
    assert sorted(listed) == sorted(set(api_pages.homes().values()))
    index = (tmp_path / "index.rst").read_text()
    for path in tmp_path.glob("skflat*.rst"):
        assert f"   {path.stem}\n" in index


@pytest.mark.docs
def test_estimators_solvers_and_measures_link_to_their_page(api_pages, monkeypatch):
    monkeypatch.setenv("SKFLAT_DOCS", "site")
    for module, name in api_pages.homes():
        thing = getattr(sys.modules[module], name)
        if inspect.isclass(thing) and hasattr(thing, "_get_doc_link"):
            page = f"site/api/generated/{thing.__module__}.{name}.html"
            if "._" not in thing.__module__:
                assert page == f"site/api/generated/{api_pages.homes()[module, name]}.html"


def documented(api_pages):
    """Public classes and functions by full name, and methods of those for users."""
    for full in sorted(set(api_pages.homes().values())):
        module, name = full.rsplit(".", 1)
        thing = getattr(sys.modules[module], name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            yield full, thing
        if inspect.isclass(thing) and module in api_pages.FOR_USERS:
            for method, function in vars(thing).items():
                if not method.startswith("_") and inspect.isfunction(function):
                    yield f"{full}.{method}", function


@pytest.mark.docs
def test_docstrings_are_complete_and_in_order(api_pages):
    """Parameters, their order, and what is returned. An override may leave it to its base."""
    from numpydoc.docscrape import get_doc_object
    from numpydoc.validate import validate

    found = {}
    for full, thing in documented(api_pages):
        if thing.__doc__:
            docstring = get_doc_object(thing)
            wrong = {code: text for code, text in validate(docstring)["errors"] if code in CODES}
            if "PR01" in wrong and not undocumented(wrong["PR01"], docstring):
                del wrong["PR01"]
            if wrong:
                found[full] = wrong
    assert not found


def undocumented(text, docstring):
    """Parameters without a line. Fields of a result are its attributes; a star is in no call."""
    fields = {name for entry in docstring["Attributes"] for name in entry.name.split(", ")}
    return {name for name in re.findall(r"'([^']+)'", text) if name[0] != "*"} - fields

"""The reference has a page for every public name, and every docstring is complete."""

import inspect
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
    """Public classes and functions by full name, and the public methods of those for users."""
    for full in sorted(set(api_pages.homes().values())):
        module, name = full.rsplit(".", 1)
        thing = getattr(sys.modules[module], name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            yield full, thing
        if inspect.isclass(thing) and module in api_pages.FOR_USERS:
            for method, function in vars(thing).items():
                if not method.startswith("_") and inspect.isfunction(function):
                    yield f"{full}.{method}", function


def faults(full, thing, validate):
    """What numpydoc finds wrong, as far as it is in `CODES`.

    An override may leave its docstring to the base. Fields of a result are its attributes.
    """
    docstring = validate.get_doc_object(thing, config={})
    report = validate.Validator(docstring)
    return report


@pytest.mark.docs
def test_parameters_and_returns_are_documented_in_order(api_pages):
    from numpydoc.validate import validate

    found = {}
    for full, thing in documented(api_pages):
        if not thing.__doc__:
            continue
        wrong = [
            (code, text)
            for code, text in validate(full)["errors"]
            if code in CODES and not excused(code, text, thing)
        ]
        if wrong:
            found[full] = wrong
    assert not found


def excused(code, text, thing):
    return False

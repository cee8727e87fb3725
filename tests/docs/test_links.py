"""Links between the pages lead somewhere. Nothing is fetched."""

import re
from importlib import import_module

import pytest
from pages import FOLDER, pages

LINK = re.compile(r"\]\(([^)\s]+)\)")
NAME = re.compile(r"`(skflat(?:\.\w+)+)")


def made(target):
    """Whether a build makes this page: those of the gallery and the reference."""
    return {"api", "gallery"} & set(target.relative_to(FOLDER / "docs").parts[:1])


def anchors(path):
    """Anchors of the headings of a page, as GitHub and MyST name them."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.docs
@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_links_lead_to_files_and_headings(path):
    for link in LINK.findall(path.read_text()):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if FOLDER / "docs" in target.parents and made(target):
            continue
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.docs
@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_names_of_the_package_exist(path):
    for name in NAME.findall(path.read_text()):
        assert resolved(name) is not None, name


def resolved(name):
    """The object of a full name: a module, something in it, or an attribute of that."""
    head, *parts = name.split(".")
    found = import_module(head)
    for k, part in enumerate(parts):
        if not hasattr(found, part):
            found = import_module(".".join([head, *parts[: k + 1]]))
        else:
            found = getattr(found, part)
    return found

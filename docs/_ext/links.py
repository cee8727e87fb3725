"""Resolve names that docstrings give without their module, and link those in the text."""

import re

import api_pages
import inventories
from docutils import nodes
from sphinx import addnodes
from sphinx.ext.intersphinx import missing_reference

ARXIV = re.compile(r"(arXiv:\d{4}\.\d{5})")


def setup(app):
    """Ask here for what sphinx has not found."""
    app.connect("missing-reference", by_its_last_name, priority=900)
    app.connect("builder-inited", remember_names)
    app.connect("doctree-resolved", link_names)
    app.connect("doctree-resolved", link_papers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def link_names(app, tree, page):
    """Let names in the text link to the reference: full ones, and those of no other word."""
    domain = app.env.get_domain("py")
    for literal in list(tree.findall(nodes.literal)):
        text = literal.astext().split("(")[0]
        plain = "_" in text.strip("_") or text[:1].isupper()
        name = text if text.startswith("skflat.") else plain and app.env.skflat_names.get(text)
        inside = isinstance(literal.parent, nodes.reference | nodes.title)
        if name and name in domain.objects and not inside and not literal.get("classes"):
            place = literal.deepcopy()
            found = domain.resolve_xref(
                app.env,
                page,
                app.builder,
                "obj",
                name,
                addnodes.pending_xref("", refdomain="py"),
                place,
            )
            literal.replace_self(found or literal)


def link_papers(app, tree, page):
    """Let the numbers of papers link to arXiv."""
    for text in list(tree.findall(nodes.Text)):
        parts = ARXIV.split(text.astext())
        if len(parts) == 1 or isinstance(text.parent, nodes.reference | nodes.literal | nodes.raw):
            continue
        new = [nodes.Text(part) for part in parts]
        for k in range(1, len(parts), 2):
            address = f"https://arxiv.org/abs/{parts[k].removeprefix('arXiv:')}"
            new[k] = nodes.reference("", parts[k], refuri=address, internal=False)
        text.parent.replace(text, new)


def remember_names(app):
    """Note the full name of all that has a page."""
    app.env.skflat_names = {name: full for (_, name), full in api_pages.homes().items()}


def by_its_last_name(app, env, node, content):
    """The reference to ``SAM`` from any module, or to ``GridSearchCV``."""
    if node.get("refdomain") != "py":
        return None
    head, _, tail = node["reftarget"].lstrip("~").partition(".")
    ours = env.skflat_names.get(head)
    if ours:
        return _within_the_package(app, env, node, content, f"{ours}.{tail}".rstrip("."))
    theirs = inventories.full_names().get(node["reftarget"])
    if theirs and theirs != node["reftarget"]:
        node["reftarget"] = theirs
        return missing_reference(app, env, node, content)
    return None


def _within_the_package(app, env, node, content, name):
    domain, page = env.get_domain("py"), node.get("refdoc")
    if name not in domain.objects or not isinstance(content, nodes.Element):
        return None
    return domain.resolve_xref(env, page, app.builder, "obj", name, node, content)

"""Write the pages of the API reference, from the ``__all__`` of every public module.

What a module promises has one page, in its home: the module with the shortest name that promises
it. Other modules that promise it, too, list it with a link there.
"""

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path

import skflat

#: Rooms that users meet, in the order of the table of contents. All others are for extensions.
FOR_USERS = [
    "skflat",
    "skflat.measures",
    "skflat.solvers",
    "skflat.solvers.binary",
    "skflat.displays",
    "skflat.experiments",
    "skflat.model_selection",
    "skflat.symmetry",
    "skflat.estimators",
    "skflat.datasets",
    "skflat.theory",
    "skflat.theory.flatness",
    "skflat.vocabularies",
    "skflat.onnx",
]
KINDS = ("Classes", "Functions", "Data")


def public_modules():
    """Names of all modules of the package without a private part, shortest first."""
    walked = pkgutil.walk_packages([str(Path(skflat.__file__).parent)], "skflat.")
    names = ["skflat", *(info.name for info in walked)]
    names = [name for name in names if not any(part[0] == "_" for part in name.split("."))]
    return sorted(names, key=lambda name: (name.count("."), name))


def promised(module):
    """What a module promises: pairs of a name and an object, without ``__version__``."""
    found = import_module(module)
    return [(name, getattr(found, name)) for name in found.__all__ if not name.startswith("__")]


def kind_of(thing):
    """The heading under which a class, a function or anything else is listed."""
    return KINDS[0 if inspect.isclass(thing) else 1 if inspect.isroutine(thing) else 2]


def homes():
    """From pairs (module, name) to the full name under which the page of that object is."""
    places = {}
    for module in public_modules():
        for name, thing in promised(module):
            places.setdefault((name, id(thing)), []).append(module)
    return {
        (module, name): f"{_home(modules, name)}.{name}"
        for (name, _), modules in places.items()
        for module in modules
    }


def _home(modules, name):
    """The shortest module; of equally short ones that in which the object was made."""
    depth = modules[0].count(".")
    shortest = [module for module in modules if module.count(".") == depth]
    made_in = getattr(getattr(import_module(shortest[0]), name), "__module__", None) or ""
    return next((m for m in shortest if made_in.startswith(m)), shortest[0])


def write_pages(folder):
    """Write one page for each module and the index of the reference into a folder.

    Parameters
    ----------
    folder : Path
    """
    folder.mkdir(exist_ok=True)
    modules = [module for module in public_modules() if promised(module)]
    others = [module for module in modules if module not in FOR_USERS]
    at_home = homes()
    for module in modules:
        _write(folder / f"{module}.rst", _page(module, at_home))
    listed = [module for module in FOR_USERS if module in modules]
    _write(folder / "index.rst", _index(listed, others))


def _page(module, at_home):
    # A module with the name of a function, such as ``weakness``, has no entry of its own.
    hidden = "   :no-index:\n" if module in at_home.values() else ""
    parts = [_title(module), f".. automodule:: {module}\n   :no-members:\n{hidden}"]
    parts += [f".. currentmodule:: {module}\n"]
    by_kind = {kind: [] for kind in KINDS}
    for name, thing in promised(module):
        by_kind[kind_of(thing)].append(name)
    for kind, names in by_kind.items():
        own = [name for name in names if at_home[module, name] == f"{module}.{name}"]
        there = [f":obj:`~{at_home[module, name]}`" for name in names if name not in own]
        if names:
            parts.append(_title(kind, "-"))
        if own:
            rows = "".join(f"   {name}\n" for name in sorted(own, key=str.lower))
            parts.append(f".. autosummary::\n   :toctree: generated\n\n{rows}")
        if there:
            parts.append("From another module: " + ", ".join(there) + ".\n")
    return "\n".join(parts)


def _index(users, others):
    text = _title("API reference")
    for title, modules in (("For users", users), ("For extensions", others)):
        rows = "".join(f"   {module}\n" for module in modules)
        text += f"\n{_title(title, '-')}\n.. toctree::\n   :hidden:\n\n{rows}"
        text += "".join(f"\n* :doc:`{module}`: {_summary(module)}" for module in modules) + "\n"
    return text


def _summary(module):
    return inspect.getdoc(import_module(module)).split("\n\n")[0].replace("\n", " ")


def _title(text, line="="):
    return f"{text}\n{line * len(text)}\n"


def _write(path, text):
    """Leave a page alone that would not change, so that a second build need not read it."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)

"""Tests of the architecture: imports, sizes of rooms, and documentation of public names."""

import ast
import importlib
import inspect
import pkgutil
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

import skflat

PACKAGE = Path(skflat.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
SHARED = {"skflat._compat", "skflat._parallel"}
BELOW_MODELS = {"skflat.objective", *SHARED}
BELOW = {"skflat.problems", "skflat.models", *BELOW_MODELS}
ALLOWED = {
    "objective": {"skflat.objective", *SHARED},
    "models": {"skflat.models", *BELOW_MODELS},
    "problems": {"skflat.problems", "skflat.models", *BELOW_MODELS},
    "solvers": {"skflat.solvers", "skflat.models", "skflat._callbacks", *BELOW_MODELS},
    "measures": {"skflat.measures", "skflat._callbacks", *BELOW},
    "symmetry": {"skflat.symmetry", *BELOW},
    "displays": {"skflat.displays", "skflat.measures", *BELOW},
    "experiments": {"skflat.experiments", "skflat.measures", *BELOW},
    "onnx": {"skflat.onnx", "skflat.estimators"},
    "theory": {"skflat.theory"},
    "datasets.py": {"skflat.datasets"},
    "model_selection": {"skflat.model_selection"},
    "vocabularies.py": {"skflat.vocabularies"},
}
# Files of a room, its __init__ included; a room of registered rules may have more.
MOST_FILES, MOST_AT_THE_TOP, REGISTRIES = 14, 8, {"solvers"}


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Pairs (module, name) of everything a file imports; the name is None for a whole module."""
    package = module_name(path).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    found = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            found += [(module, alias.name) for alias in node.names]
    return found


def is_within(module, packages):
    return any(module == package or module.startswith(package + ".") for package in packages)


def is_private(name):
    return name is not None and name.startswith("_") and not name.startswith("__")


def files_of(layer):
    return sorted((PACKAGE / layer).rglob("*.py")) or [PACKAGE / layer]


def each_of(values):
    """Let one test check all values. One test a value would take longer than the checks."""

    def over_all(check):
        def test():
            for value in values:
                check(value)

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return over_all


each_file = each_of(SOURCES)


@cache
def tree_of(path):
    return ast.parse(path.read_text())


def test_imports_are_read_as_python_reads_them(tmp_path, monkeypatch):
    """What the other tests rely on."""
    monkeypatch.setattr("test_architecture.PACKAGE", tmp_path / "skflat")
    folder = tmp_path / "skflat" / "solvers"
    folder.mkdir(parents=True)
    text = "import a.b\nfrom . import c\nfrom ._d import e\nfrom .. import f\nfrom ..g import h\n"
    for name in ("__init__.py", "_sam.py"):
        (folder / name).write_text(text + "def later():\n    from i._j import _k\n")
        assert imports(folder / name) == [
            ("a.b", None),
            ("skflat.solvers", "c"),
            ("skflat.solvers._d", "e"),
            ("skflat", "f"),
            ("skflat.g", "h"),
            ("i._j", "_k"),
        ]


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_knows_only_what_is_below_it(layer):
    assert files_of(layer)
    for path in files_of(layer):
        ours = [module for module, _ in imports(path) if is_within(module, ["skflat"])]
        strangers = [module for module in ours if not is_within(module, ALLOWED[layer])]
        assert not strangers, path


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_looks_into_no_other(layer):
    """Across layers only public names are imported, from the package itself."""
    for path in files_of(layer):
        for module, name in imports(path):
            if is_within(module, ["skflat"]) and not is_within(module, [f"skflat.{layer}"]):
                assert not is_private(name), (path, name)
                assert not any(is_private(part) for part in module.split(".")[2:]), (path, module)


def test_a_room_looks_into_no_other_but_those_above_it():
    """Between rooms of a layer, too: a file imports from its room, one above, or a whole one."""
    for path in SOURCES:
        own = module_name(path.parent / "__init__.py")
        for module, name in imports(path):
            if is_within(module, ["skflat"]) and is_private(module.rsplit(".", 1)[1]):
                assert is_within(own, [module.rsplit(".", 1)[0]]), (path, module, name)


def rooms():
    return sorted({path.parent for path in SOURCES})


def test_no_room_is_crowded():
    for room in rooms():
        files = [path.name for path in room.glob("*.py")]
        most = MOST_AT_THE_TOP if room == PACKAGE else MOST_FILES
        assert len(files) <= most or room.name in REGISTRIES, (room, len(files))


#: What asks an objective for a capability, the only place that does so by a string.
ASKS = PACKAGE / "objective" / "_capabilities.py"
LOSSES = {
    "Absolute",
    "Binary",
    "CustomClassLoss",
    "CustomLoss",
    "HalfGamma",
    "HalfPoisson",
    "HalfSquared",
    "Huber",
    "Multinomial",
    "Pinball",
    "StabilityLoss",
}


@each_file
def test_models_losses_and_objectives_are_asked_in_one_place(path):
    """By ``capability``, and not by names of methods that some of them have."""
    if path == ASKS:
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("hasattr", "getattr"):
            asked = ast.unparse(node.args[0]).split(".")[-1].strip("_")
            assert asked not in ("model", "loss", "loss_function", "objective"), ast.unparse(node)


@each_of([*files_of("solvers"), *files_of("measures")])
def test_solvers_and_measures_name_no_array_and_no_loss(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Name):
            assert node.id not in LOSSES, node.id
        if isinstance(node, ast.Subscript) and "views" in ast.unparse(node.value):
            assert not isinstance(node.slice, ast.Constant), ast.unparse(node)


def test_a_base_says_what_it_is_the_base_of():
    assert not [path for path in SOURCES if path.name == "_base.py"]


def test_the_modules_above_take_only_public_names_of_the_layers():
    for path in PACKAGE.glob("*.py"):
        for module, _ in imports(path):
            inner = module.split(".")[2:] if is_within(module, ["skflat"]) else []
            assert not any(is_private(part) for part in inner), (path, module)


@each_file
def test_only_one_file_knows_callbacks(path):
    if path.name != "_callbacks.py":
        assert "sklearn.callback" not in path.read_text()


@each_file
def test_only_one_file_names_private_parts_of_scikit_learn(path):
    if path.name == "_compat.py":
        return
    for module, name in imports(path):
        if is_within(module, ["sklearn"]):
            assert not any(is_private(part) for part in module.split(".")), module
            assert not is_private(name), name


@each_file
def test_only_one_file_uses_joblib(path):
    if path.name != "_parallel.py":
        for module, name in imports(path):
            assert not is_within(module, ["joblib", "sklearn.utils.parallel"]), name


@each_file
def test_the_package_imports_nothing_that_is_not_shipped(path):
    for module, _ in imports(path):
        assert not is_within(module, ["tests", "examples", "benchmarks", "pytest"])


# What is public


def public_nodes(path):
    """Public classes and functions at the top of a file."""
    for node in tree_of(path).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node


@each_file
def test_every_file_class_and_function_is_explained(path):
    assert ast.get_docstring(tree_of(path)), "module"
    for node in public_nodes(path):
        assert ast.get_docstring(node), node.name


def test_no_two_classes_have_one_name():
    """An underscore in front does not tell them apart."""
    places = defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                places[node.name.strip("_")].append(module_name(path))
    assert not {name: found for name, found in places.items() if len(found) > 1}


def public_modules():
    walked = pkgutil.walk_packages([str(PACKAGE)], "skflat.")
    names = ["skflat", *(info.name for info in walked)]
    return [name for name in names if not any(is_private(part) for part in name.split("."))]


@each_of(public_modules())
def test_what_a_module_promises_exists(name):
    module = importlib.import_module(name)
    assert len(set(module.__all__)) == len(module.__all__)
    for promised in module.__all__:
        assert hasattr(module, promised)


@each_of(public_modules())
def test_what_a_module_promises_is_explained(name):
    module = importlib.import_module(name)
    for promised in module.__all__:
        found = getattr(module, promised)
        if inspect.isclass(found) or inspect.isfunction(found):
            assert inspect.getdoc(found), promised


def methods_of(cls):
    """Public methods and properties defined or inherited within the package."""
    for name, member in inspect.getmembers(cls):
        function = member.fget if isinstance(member, property) else member
        ours = getattr(function, "__module__", None) or ""
        if not name.startswith("_") and callable(function) and is_within(ours, ["skflat"]):
            yield name, member


@each_of(public_modules())
def test_every_public_method_is_explained_somewhere_up_its_tree(name):
    """An override says nothing new where the base has said it."""
    module = importlib.import_module(name)
    for promised in module.__all__:
        found = getattr(module, promised)
        if inspect.isclass(found):
            for method, member in methods_of(found):
                assert inspect.getdoc(member), f"{promised}.{method}"

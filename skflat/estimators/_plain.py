"""Objects of the package as arrays and builtins, and back: what a fitted estimator is saved as."""

from importlib import import_module
from types import SimpleNamespace

#: Keys of the dictionary that stands for an object, and of the one that stands for a class.
OBJECT, CLASS, ATTRIBUTES = "skflat object", "skflat class", "attributes"
PACKAGE = __name__.split(".")[0]
CONTAINERS = (list, tuple)


class Plain:
    """Turns objects into dictionaries. An object that is met twice is one dictionary."""

    def __init__(self):
        self._known = {}

    def __call__(self, value):
        if type(value) in CONTAINERS:
            return type(value)(map(self, value))
        if type(value) is dict:
            return {key: self(each) for key, each in value.items()}
        if isinstance(value, type):
            return {CLASS: _name(value)} if _is_ours(value) else value
        if not (_is_ours(type(value)) or type(value) is SimpleNamespace):
            return value
        if id(value) not in self._known:
            self._known[id(value)] = {OBJECT: _name(type(value)), ATTRIBUTES: self(vars(value))}
        return self._known[id(value)]


class Restored:
    """The way back. It calls no ``__init__``, and no class that is not of the package."""

    def __init__(self):
        self._known = {}

    def __call__(self, value):
        if type(value) in CONTAINERS:
            return type(value)(map(self, value))
        if type(value) is not dict:
            return value
        if CLASS in value:
            return _class(value[CLASS])
        if OBJECT not in value:
            return {key: self(each) for key, each in value.items()}
        if id(value) not in self._known:
            cls = _class(value[OBJECT])
            restored = self._known[id(value)] = cls.__new__(cls)
            vars(restored).update(self(value[ATTRIBUTES]))
        return self._known[id(value)]


def _is_ours(cls):
    return cls.__module__.split(".")[0] == PACKAGE


def _name(cls):
    return f"{cls.__module__}:{cls.__qualname__}"


def _class(name):
    """The class of a name, which is one of the package's."""
    module, _, qualname = name.partition(":")
    if (module, qualname) == ("types", "SimpleNamespace"):
        return SimpleNamespace
    if module.split(".")[0] != PACKAGE:
        raise ValueError(f"A saved estimator names a class that is not of {PACKAGE}: {name!r}.")
    cls = getattr(import_module(module), qualname, None)
    if not isinstance(cls, type):
        raise ValueError(
            f"A saved estimator names a class that this version of {PACKAGE} does not have: "
            f"{name!r}."
        )
    return cls

"""How an estimator is saved: as arrays and builtins, with the version of the package."""

import warnings
from importlib import import_module

from sklearn.exceptions import InconsistentVersionWarning

from ..objective import Documented
from ._plain import PACKAGE, Plain, Restored

VERSION = "_skflat_version"


class Saved(Documented):
    """Mixin of an estimator whose pickles hold no object of the package but its parameters.

    So safe formats, which ask before they load an unknown class, ask for public names only.
    """

    def __getstate__(self):
        params = self.get_params(deep=False)
        plain, state = Plain(), dict(super().__getstate__())
        for name in state.keys() - params.keys():
            state[name] = plain(state[name])
        return state | {VERSION: _version()}

    def __setstate__(self, state):
        saved_by = state.get(VERSION, "unknown")
        if saved_by != _version():
            warnings.warn(
                InconsistentVersionWarning(
                    estimator_name=type(self).__name__,
                    current_sklearn_version=f"{_version()} of skflat",
                    original_sklearn_version=saved_by,
                ),
                stacklevel=2,
            )
        params = self._get_param_names()
        restored = Restored()
        super().__setstate__(
            {
                name: value if name in params else restored(value)
                for name, value in state.items()
                if name != VERSION
            }
        )


def _version():
    return import_module(PACKAGE).__version__

"""Networks within other estimators as scikit-learn's own."""

import io
import pickle
from types import BuiltinFunctionType, FunctionType

from .._saved import Saved
from ..networks import BaseFlatMLP, as_sklearn


def to_sklearn(estimator):
    """A copy of an estimator in which every network of ours is scikit-learn's.

    Parameters
    ----------
    estimator : estimator
        A network, or anything that holds some: a pipeline, a search, a voting, a calibrated or a
        stacked classifier, in any nesting. It is not changed.

    Returns
    -------
    estimator
        Of the same type, with the same predictions to the bit; of a network itself, its
        ``to_sklearn()``. Functions and classes are shared with the original, everything else is
        copied.

    Raises
    ------
    ValueError
        If scikit-learn lacks the activation of a network.
    TypeError
        If there is another estimator of skflat, which scikit-learn has no counterpart of.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skflat import FlatMLPClassifier, to_sklearn
    >>> X, y = load_iris(return_X_y=True)
    >>> network = FlatMLPClassifier(learning_rate_init=0.01, random_state=0)
    >>> pipe = make_pipeline(StandardScaler(), network).fit(X, y)
    >>> to_sklearn(pipe)[-1].__class__
    <class 'sklearn.neural_network._multilayer_perceptron.MLPClassifier'>
    """
    file, replaced = io.BytesIO(), []
    _Writer(file, replaced).dump(estimator)
    file.seek(0)
    return _Reader(file, replaced).load()


class _Writer(pickle.Pickler):
    """Pickles all but networks, whose counterparts it lists, and what it may share."""

    def __init__(self, file, replaced):
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self.replaced, self.places = replaced, {}

    def persistent_id(self, obj):
        if isinstance(obj, BaseFlatMLP):
            return self._place(obj, as_sklearn)
        if isinstance(obj, Saved):
            raise TypeError(f"{type(obj).__name__} has no counterpart in scikit-learn.")
        if isinstance(obj, (type, FunctionType, BuiltinFunctionType)):
            return self._place(obj, lambda shared: shared)
        return None

    def _place(self, obj, convert):
        """Where the counterpart is in the list; an object met twice has one."""
        if id(obj) not in self.places:
            self.places[id(obj)] = len(self.replaced), obj  # kept alive, so that its id is its own
            self.replaced.append(convert(obj))
        return self.places[id(obj)][0]


class _Reader(pickle.Unpickler):
    """Reads what a `_Writer` wrote."""

    def __init__(self, file, replaced):
        super().__init__(file)
        self.replaced = replaced

    def persistent_load(self, pid):
        return self.replaced[pid]

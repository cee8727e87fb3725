"""What the estimators of a function have in common, in words."""

import re

from ..supervised import FUNCTION_LOSS, MEASURED, RECORD, TRAINING

#: Parameters of the training that have other defaults here.
OTHERWISE = {
    "learning_rate_init": """'auto' or float, default='auto'
        Learning rate of the first step. ``'auto'`` is 0.001. For the linear model, whose problem is
        convex, it is 0.05.""",
    "measures": """'auto', sequence of str or None, default='auto'
        What to measure at the end of ``fit``: names in `skflat.measures.MEASURES`. ``'auto'`` is
        sharpness, flatness and weakness, without those that are not defined for the model.""",
}

FUNCTION = """forward : callable, default=None
        ``forward(params, X)`` of a dict of named arrays and the rows ``X``, written with
        ``autograd.numpy``. It returns raw predictions of shape (n_rows, n_outputs), or (n_rows,)
        for one output: one a class, label or target, and one of two classes. None is a linear
        model of the arrays ``W`` and ``b``.
    init : dict or callable, default=None
        Where training starts, by name: an array, or a shape (a tuple of int) to be drawn. A
        function of ``(rng, n_features, n_outputs)`` returns such a dict. Shapes are drawn uniformly
        within Glorot and Bengio's bound; a vector within the bound of the array before it, as
        intercepts of `FlatMLPClassifier` are. ``rng`` is a ``numpy.random.RandomState``. It must
        be given with ``forward``.
    features : callable, default=None
        ``features(params, X)``, of shape (n_rows, n_units): what the last affine map of ``forward``
        reads. Measures of the last hidden layer need it, such as effective rank and relative
        flatness, and weakness of two classes, labels and numbers.
    penalized : sequence of str, default=None
        Names of the arrays that ``alpha`` and ``weight_decay`` apply to. None is all arrays of two
        axes or more."""

ATTRIBUTES = f"""params_ : dict of str to ndarray
        The fitted arrays: first those of two axes or more, then vectors and numbers.
    model_ : FunctionModel
        The function with its shapes. Its ``layout`` says where the arrays are in the flat vector.
    {MEASURED}
    {RECORD}
    n_outputs_ : int
        Outputs.
    out_activation_ : str
        The function from raw predictions to predictions, as scikit-learn names it.
    n_features_in_ : int
        Features seen during ``fit``.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where ``X`` had string names."""

NOTES = """A gradient costs what autograd takes for it: one pass of the function and one back.
    Autograd has no threads, so fits in parallel need processes. Pickling needs functions that are
    defined at the top level of a module. The arrays may have any shape, and ``X`` is dense.

    The trace of the Hessian has no closed form here. It is exact if there are no more parameters
    than ``n_products`` of `skflat.measures.HessianTrace`, and an estimate otherwise."""


def documented(estimator):
    """Class decorator: put the common paragraphs into the docstring."""
    parts = {
        "{function}": FUNCTION,
        "{loss}": FUNCTION_LOSS,
        "{training}": _replaced(TRAINING, OTHERWISE),
        "{attributes}": ATTRIBUTES,
        "{notes}": NOTES,
    }
    for mark, text in parts.items():
        estimator.__doc__ = estimator.__doc__.replace(mark, text)
    return estimator


def _replaced(text, entries):
    """The entries of a section, some of them with another text."""
    found = [each.split(" : ", 1) for each in re.split(r"\n    (?=\S)", text)]
    return "\n    ".join(f"{name} : {entries.get(name, rest)}" for name, rest in found)

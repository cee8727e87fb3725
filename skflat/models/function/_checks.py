"""Whether autograd can differentiate a user's function, and an error that says what to change."""

import re
import traceback
import warnings
from pathlib import Path

import autograd
import autograd.numpy as anp
import numpy as np
import scipy
from autograd import make_vjp

from ...objective import ONE_AT_A_TIME
from ._width import numbers_of_a_row

N_ROWS = 3  # that a function is tried on; of fewer some are taken twice

#: What NumPy and Python say where a traced value is written into an array, or into the rows.
IN_PLACE = ("item assignment", "read-only", "setting an array element")
ASSIGNMENT = re.compile(r"[-+*/@|&]=|\]\s*=[^=]")  # in place, in a line of Python
ADVICE_IN_PLACE = (
    "assigns into an array in place, and autograd cannot trace that. Make a new array instead, by "
    "np.where, np.stack or np.concatenate of autograd.numpy"
)
ADVICE_NUMPY = (
    "calls something that autograd cannot differentiate. Use `import autograd.numpy as np` in "
    "place of numpy and autograd.scipy in place of scipy, and of these only functions that have a "
    "gradient in autograd"
)
#: What a user's own function, or autograd's trace of it, may raise: each is handed on as one clear
#: error with the function's line. Others, such as MemoryError or an interruption, pass as they are.
FAILURES = (TypeError, ValueError, NotImplementedError, AttributeError, IndexError, KeyError)


def check_function(model, loss, w, X, y):
    """Try a user's function and loss on three rows, plain and traced.

    Parameters
    ----------
    model : FunctionModel
    loss : Loss
    w : ndarray of shape (n_parameters,)
    X : ndarray of shape (n_rows, n_features)
    y : ndarray
        Targets as the loss wants them.

    Returns
    -------
    FunctionModel
        The same, which knows how many scores there are and how much a row leaves.

    Raises
    ------
    ValueError
        If the function or the loss fails, returns another shape, cannot be traced, or does not
        depend on some of the arrays. The error says what to change.
    """
    rows = np.resize(np.arange(len(X)), N_ROWS)
    X, y, views = _read_only(X[rows]), y[rows], model.layout.views(w)
    F = _plain("forward", lambda: model.forward(views, X), model, X)
    _check_scores(F, model, X)
    # Not the same number of rows whatever it is given.
    _check_scores(_plain("forward", lambda: model.forward(views, X[:2]), model, X), model, X[:2])
    _traced("forward", lambda params: model.forward(params, X), views)
    F = np.array(F, dtype=w.dtype)
    _plain("loss", lambda: loss.per_sample(F.copy(), y), model, X)
    _plain("prediction", lambda: loss.shown(loss.predict(F.copy())), model, X)
    _traced("loss", lambda scores: loss.per_sample(scores, y), F)
    _check_influence(model, loss, views, X, y)
    return model.measured(F.shape[1], numbers_of_a_row(model, w, X))


def _read_only(X):
    """The array, which a function can then only read."""
    X.flags.writeable = False
    return X


def _plain(name, call, model, X):
    """What a function returns without autograd; an error of it says what it was given."""
    try:
        return call()
    except FAILURES as error:
        if _is_in_place(error):
            raise ValueError(f"{name} {ADVICE_IN_PLACE}{_where(error)}.") from error
        raise ValueError(
            f"{name} failed on X of shape {X.shape} and arrays of the shapes "
            f"{model.layout.shapes}: {type(error).__name__}: {error}{_where(error)}."
        ) from error


def _check_scores(F, model, X):
    n_scores = "n_outputs" if model.n_scores is None else model.n_scores
    shape = np.shape(F)
    wrong = len(shape) != 2 or shape[0] != len(X)
    if wrong or (model.n_scores is not None and shape[1] != model.n_scores):
        raise ValueError(
            f"forward must return an array of shape (n_rows, {n_scores}), here ({len(X)}, "
            f"{n_scores}); got one of shape {shape} for X of shape {X.shape} and arrays of the "
            f"shapes {model.layout.shapes}."
        )


def _traced(name, function, at):
    """Trace a function and its derivative; an error says why autograd cannot."""
    try:
        with ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Output seems independent of input")
            pull, value = make_vjp(function)(at)
            pull(np.ones_like(value))
    except FAILURES as error:
        advice = ADVICE_IN_PLACE if _is_in_place(error) else ADVICE_NUMPY
        what = f"{type(error).__name__}: {error}"
        raise ValueError(f"{name} {advice}{_where(error)} ({what}).") from error


def _is_in_place(error):
    """Whether an error comes from an assignment; functions of NumPy assign inside, too."""
    frame = _users_frame(error)
    assigns = frame is None or ASSIGNMENT.search(frame.line)
    return bool(assigns and any(words in str(error) for words in IN_PLACE))


def _where(error):
    """The line of the user's code where an error arose, as the end of a sentence."""
    frame = _users_frame(error)
    if frame is None:
        return ""
    return f": line {frame.lineno} of {Path(frame.filename).name}, `{frame.line}`"


def _users_frame(error):
    """The last frame of an error that is neither ours nor a library's, or None."""
    ours = [str(Path(module.__file__).parent) for module in (autograd, np, scipy)]
    ours.append(str(Path(__file__).parents[2]))
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.line and not frame.filename.startswith(tuple(ours)):
            return frame
    return None


def _check_influence(model, loss, views, X, y):
    """Refuse arrays that the loss does not depend on: they would never be trained."""
    idle = [name for name in views if not _has_influence(name, model, loss, views, X, y)]
    if idle:
        names = ", ".join(map(repr, idle))
        raise ValueError(
            f"The loss does not depend on the arrays {names} of init, so they would never be "
            "trained. Leave them out, or use them in forward in a way that autograd can "
            "differentiate: functions such as np.floor, np.sign and comparisons have no gradient, "
            "and numpy's own functions hide it."
        )


def _has_influence(name, model, loss, views, X, y):
    with ONE_AT_A_TIME, warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        make_vjp(
            lambda array: anp.sum(loss.per_sample(model.forward(views | {name: array}, X), y))
        )(views[name])
    return not any("independent of input" in str(each.message) for each in found)

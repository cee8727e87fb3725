"""A model that is one function of named arrays, differentiated by autograd."""

import warnings
from copy import copy

import autograd.numpy as anp
import numpy as np
from autograd import grad, make_vjp

from ...objective import (
    CHUNK,
    ONE_AT_A_TIME,
    HiddenLayer,
    Layout,
    Model,
    TraceGradient,
    losses_and_residual,
    radius_of_data,
    row_scale,
)
from ._features import FunctionLayers
from ._trace_gradient import FunctionTraceGradient

MAX_NUMBERS = 1 << 23  # that a pass over a chunk of rows leaves, about: 64 MB


# autograd's derivative of tanh is 1 / cosh(x)**2. That is right where the square overflows.
QUIET = {"over": "ignore"}


class FunctionModel(Model):
    """Scores ``function(params, X)``.

    Parameters
    ----------
    function : callable
        Written with ``autograd.numpy``. It returns an array of shape (n_rows, n_scores), or
        (n_rows,) for one score.
    shapes : dict of str to tuple of int
        The arrays in ``params``, in the order of the flat vector.
    penalized : sequence of str, default=None
        Those that the L2 penalty and weight decay apply to; None is all of two axes or more.
    features : callable, default=None
        ``features(params, X)``, of shape (n_rows, n_units): what the last affine map reads.
    n_scores : int, default=None
        Columns of the scores, if it is known.
    width : int, default=1
        Numbers that a pass leaves for every row, about.

    Raises
    ------
    ValueError
        If ``penalized`` names an array that is not there.
    """

    capabilities = {HiddenLayer: FunctionLayers.of, TraceGradient: FunctionTraceGradient.of}

    def __init__(self, function, shapes, penalized=None, features=None, n_scores=None, width=1):
        self.function, self.features, self.n_scores = function, features, n_scores
        self.layout = Layout(shapes)
        self.width = width
        if penalized is None:
            penalized = [name for name, shape in self.layout.shapes.items() if len(shape) >= 2]
        unknown = [name for name in penalized if name not in self.layout.shapes]
        if isinstance(penalized, str) or unknown:
            raise ValueError(
                f"penalized must be names among {list(self.layout.shapes)}, got {penalized!r}."
            )
        self.penalized = _joined([self.layout.slices[name] for name in penalized])

    def measured(self, n_scores, width):
        """The same model, which knows what a trial has shown.

        Parameters
        ----------
        n_scores, width : int

        Returns
        -------
        FunctionModel
        """
        model = copy(self)
        model.n_scores, model.width = n_scores, width
        return model

    @property
    def chunk(self):
        """Rows of a pass, so that what it leaves fits into memory."""
        return max(1, min(CHUNK, MAX_NUMBERS // self.width))

    def penalties(self, alpha):
        return [(part, alpha) for part in self.penalized]

    def forward(self, params, X):
        F = self.function(params, X)
        return anp.reshape(F, (-1, 1)) if anp.ndim(F) == 1 else F

    def scores(self, w, X, work=None):
        # A copy: the caller may overwrite it, and a function may return one of its arguments.
        return np.array(self.forward(self.layout.views(w), X), dtype=w.dtype)

    def loss_gradient(self, loss, w, batch, out, work, reported=False):
        # Only the function is traced. The loss has its derivative by hand.
        with ONE_AT_A_TIME, np.errstate(**QUIET):
            pull, F = make_vjp(lambda params: self.forward(params, batch.X))(self.layout.views(w))
            values, delta = losses_and_residual(loss, F.astype(w.dtype), batch.y, reported)
            delta *= row_scale(batch, delta.dtype)
            gradient = pull(delta)
        for name, into in self.layout.views(out).items():
            into[...] = gradient[name]
        return batch.mean(values)

    def linearized(self, loss, w, batch, work):
        scale = row_scale(batch, w.dtype)

        def gradient(params):
            def total(params):
                values = loss.per_sample(self.forward(params, batch.X), batch.y)
                return anp.sum(values * np.ravel(scale))

            arrays = grad(total)(params)
            return anp.concatenate([anp.ravel(arrays[name]) for name in self.layout.shapes])

        with ONE_AT_A_TIME, np.errstate(**QUIET), warnings.catch_warnings():
            # Without curvature the gradient is a constant.
            warnings.filterwarnings("ignore", message="Output seems independent of input")
            # The Hessian is symmetric: pulled back through the gradient, ``v`` gives ``H v``. The
            # passes are traced once for all products.
            pull, _ = make_vjp(gradient)(self.layout.views(w))

        def product(v):
            with ONE_AT_A_TIME, np.errstate(**QUIET):
                return self.layout.pack(pull(v), w.dtype)

        return product

    def unit_radius(self, loss, batch):
        return radius_of_data(loss, batch)


def _joined(slices):
    """The slices in order, those that follow each other as one."""
    joined = []
    for part in sorted(slices, key=lambda part: part.start):
        if joined and joined[-1].stop == part.start:
            part = slice(joined.pop().start, part.stop)
        joined.append(part)
    return joined

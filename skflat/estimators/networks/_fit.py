"""What the multi-layer perceptrons have of their own: their layers and their fitted attributes."""

from numbers import Integral

from ..._compat import Interval, StrOptions
from ...models.mlp import ACTIVATIONS, MLP
from ...objective import CRITERIA
from ...problems import network
from ._flattening import between_epochs, last_step


class BaseFlatMLP:
    """Mixin of the networks: all that classifier and regressor share."""

    _accept_sparse = "csr"
    _fitted_attribute = "coefs_"

    _network_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS)), callable],
        "flatten": [StrOptions(set(CRITERIA)), None],
        "flatten_every": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, **params):
        for name, value in params.items():
            setattr(self, name, value)

    def make_model(self, n_features, n_outputs):
        """The network with the hidden layers that ``hidden_layer_sizes`` names.

        Parameters
        ----------
        n_features, n_outputs : int

        Returns
        -------
        MLP
        """
        hidden = self.hidden_layer_sizes
        hidden = list(hidden) if hasattr(hidden, "__iter__") else [hidden]
        if not all(isinstance(size, Integral) and size > 0 for size in hidden):
            raise ValueError(f"hidden_layer_sizes must be integers > 0, got {hidden}.")
        self.n_layers_ = len(hidden) + 2
        return MLP([n_features, *hidden, n_outputs], self.activation)

    def _fitted_model(self):
        return network(self)

    def _moves(self, objective, complete):
        return {
            "finish": last_step(self, objective, complete),
            "between": between_epochs(self, objective),
        }

    def _attributes(self, model, w):
        return dict(zip(("coefs_", "intercepts_"), model.split(w), strict=True))

    def _input_dtype(self, reset):
        return super()._input_dtype(reset) if reset else self.coefs_[0].dtype

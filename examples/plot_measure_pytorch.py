"""
Measuring a network of PyTorch
==============================

The weights of a network are all that is needed to measure it. `from_state_dict` turns the
``state_dict`` of a feed-forward network into parameters and a function, and `as_model` makes of
these an estimator that all measures and displays accept. Nothing is trained again, and nothing of
PyTorch is imported.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from skflat import as_model, from_state_dict
from skflat.displays import LocalEnergyDisplay, SpectrumDisplay
from skflat.measures import (
    effective_rank,
    hessian_eigenvalues,
    hessian_trace,
    level_set_distance,
    local_energy,
    spectral_density,
    weakness,
)

# %%
# A ``state_dict``
# ----------------
# With PyTorch, this is all there is to do::
#
#     net = torch.nn.Sequential(
#         torch.nn.Linear(64, 16), torch.nn.Tanh(), torch.nn.Linear(16, 10)
#     ).double()
#     ...  # train as you do
#     state = net.state_dict()
#
# So that this page can be built without PyTorch, scikit-learn trains a network of that shape here,
# and its weights are named as PyTorch names them: a row of weights for every output.

X, y = load_digits(return_X_y=True)
X, y = X[:400] / 16, y[:400]
net = MLPClassifier((16,), "tanh", max_iter=1500, random_state=0).fit(X, y)
state = {}
for place, W, b in zip((0, 2), net.coefs_, net.intercepts_, strict=True):
    state |= {f"{place}.weight": W.T, f"{place}.bias": b}
print({name: array.shape for name, array in state.items()})

# %%
# Measure it
# ----------
# The activations are not in a ``state_dict``, so they are named. ``features`` is what the last
# layer reads.

params, forward, features = from_state_dict(state, activations="tanh")
model = as_model(params, forward, X, y, features=features)
print(f"accuracy {np.mean(model.predict(X) == y):.3f}")
for function in (
    hessian_trace,
    hessian_eigenvalues,
    level_set_distance,
    effective_rank,
    weakness,
):
    found = function(model, X, y)
    error = f" +- {found.stderr:.2g}" if found.stderr > 0 else ""
    print(f"{function.__name__:<22}{found.value:>10.4g}{error}   {found.kind}")

# %%
# The displays work, too. Most eigenvalues of the Hessian are near 0: the loss is flat in most
# directions, and curved in a few.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
LocalEnergyDisplay.from_measurement(local_energy(model, X, y, n_draws=20), ax=left)
SpectrumDisplay.from_measurement(spectral_density(model, X, y), ax=right)
left.set_title("How much worse under noise")
right.set_title("Spectrum of the Hessian")
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

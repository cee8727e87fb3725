"""
The landscape around a network, and between two of them
=======================================================

A loss over thousands of parameters cannot be drawn. Its values along a line or in a plane can.
Which line is the question: a random one, the most curved one, or the one that leads to another
network. This page draws all of them, for two networks from one start: one trained by `adam` and one
by `sam`, at an equal number of gradients.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skflat import FlatMLPClassifier
from skflat.displays import LandscapeDisplay
from skflat.measures import hessian_eigenvalues, hessian_trace, local_energy

# %%
# Two networks
# ------------
# A fifth of the training labels is drawn at random. A step of `sam` costs two gradients, so it has
# half as many epochs.

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=600, stratify=y, random_state=0
)
rng = np.random.default_rng(0)
redrawn = rng.choice(len(y_train), size=len(y_train) // 5, replace=False)
y_train[redrawn] = rng.integers(10, size=len(redrawn))
models = {
    solver: FlatMLPClassifier(
        (64,),
        solver=solver,
        rho=0.2 if solver == "sam" else "auto",
        learning_rate_init=0.01,
        learning_rate="cosine",
        max_iter=epochs,
        measures=None,
        random_state=0,
    ).fit(X_train, y_train)
    for solver, epochs in {"adam": 160, "sam": 80}.items()
}
print(
    f"{'':<6}{'gradients':>10}{'train':>8}{'test':>8}{'trace':>9}{'largest':>9}{'local energy':>18}"
)
for name, model in models.items():
    trace, largest, energy = (
        measure(model, X_train, y_train)
        for measure in (hessian_trace, hessian_eigenvalues, local_energy)
    )
    scores = f"{model.score(X_train, y_train):>8.3f}{model.score(X_test, y_test):>8.3f}"
    print(
        f"{name:<6}{model.n_grad_evals_:>10g}{scores}{trace.value:>9.3f}{largest.value:>9.3f}"
        f"{energy.value:>9.3f} +- {energy.stderr:.3f}"
    )

# %%
# Along a line
# ------------
# On the left both go the same random way, with steps relative to the size of the weights
# (filter-normalised, Li and others, arXiv:1712.09913). On the right each goes along its own most
# curved direction, and steps are distances.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for name, model in models.items():
    LandscapeDisplay.from_estimator(model, X_train, y_train, n_points=61, name=name, ax=left)
    LandscapeDisplay.from_estimator(
        model, X_train, y_train, directions="eigen", span=2.0, n_points=61, name=name, ax=right
    )
left.set_title("Along one random direction")
right.set_title("Along the most curved direction of each")
right.set_xlabel("distance along the top eigenvector of the Hessian")
for ax in (left, right):
    ax.set_yscale("log")
    ax.grid(alpha=0.3)
plt.show()

# %%
# Here all agree: `sam` is the flatter one, and the better one on new rows. They need not agree.
# Where a network fits all its rows the loss tends to 0, and so does the Hessian of a log-loss,
# however fast the loss rises farther out. Then the trace is small in a narrow valley.
#
# In a plane, and from one network to the other
# ---------------------------------------------
# On the straight line between both there is no ridge: the training loss, wrong labels included,
# rises steadily from one to the other. For test rows with right labels the best point of the line
# is neither network. It lies between them. That is why averages of parameters can pay.

figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.4), layout="constrained")
LandscapeDisplay.from_estimator(
    models["adam"], X_train, y_train, n_directions=2, span=0.5, n_points=25, ax=left
)
left.set_title("Around adam's network, two random directions")
for name, rows in {"training": (X_train, y_train), "test, right labels": (X_test, y_test)}.items():
    LandscapeDisplay.from_estimator(
        models["adam"], *rows, to=models["sam"], n_points=61, name=name, ax=right
    )
right.set_yscale("log")
right.set_title("From adam's network (0) to sam's (1)")
right.grid(alpha=0.3)
plt.show()

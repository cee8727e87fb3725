"""Speed of training: SAM against a plain PyTorch loop and against its bare matrix products,
sgd and adam against scikit-learn.

    python benchmarks/training.py [--epochs 5] [--repeats 5]

Random data: time does not depend on what is learned. All contenders use the same number of BLAS
threads, that of the machine's cores.
"""

import argparse
import os
import warnings
from functools import partial

import numpy as np
import torch
from _timing import best_times, print_ratio
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from skflat import FlatMLPClassifier
from skflat.solvers import SAM

LARGE = {"n_rows": 20_000, "n_features": 784, "hidden": 256, "batch": 128}
SMALL = {"n_rows": 1_797, "n_features": 64, "hidden": 100, "batch": 200}
N_CLASSES, RATE, MOMENTUM, RHO, ALPHA = 10, 0.01, 0.9, 0.05, 1e-4


def make_data(n_rows, n_features, dtype, **_):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_features)).astype(dtype)
    return X, rng.integers(N_CLASSES, size=n_rows)


def network(estimator, shape, solver, epochs, **more):
    """An estimator of the benchmark's shape that never stops early."""
    return estimator(
        hidden_layer_sizes=(shape["hidden"],),
        solver=solver,
        batch_size=shape["batch"],
        learning_rate_init=RATE if solver != "adam" else 1e-3,
        momentum=MOMENTUM,
        alpha=ALPHA,
        max_iter=epochs,
        n_iter_no_change=10**6,
        random_state=0,
        **more,
    )


def torch_sam(X, y, shape, epochs):
    """The plain SAM loop a PyTorch user writes, with foreach optimizers."""
    torch.manual_seed(0)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    model = torch.nn.Sequential(
        torch.nn.Linear(shape["n_features"], shape["hidden"]),
        torch.nn.ReLU(),
        torch.nn.Linear(shape["hidden"], N_CLASSES),
    )
    params = list(model.parameters())
    optimizer = torch.optim.SGD(
        params, lr=RATE, momentum=MOMENTUM, nesterov=True, weight_decay=ALPHA / shape["batch"]
    )
    loss_of = torch.nn.functional.cross_entropy
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), shape["batch"]):
            rows = order[start : start + shape["batch"]]
            X_batch, y_batch = X[rows], y[rows]
            optimizer.zero_grad()
            loss_of(model(X_batch), y_batch).backward()
            grads = [p.grad for p in params]
            with torch.no_grad():
                norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
                climb = torch._foreach_mul(grads, RHO / (norm + 1e-12))
                torch._foreach_add_(params, climb)
            optimizer.zero_grad()
            loss_of(model(X_batch), y_batch).backward()
            with torch.no_grad():
                torch._foreach_sub_(params, climb)
            optimizer.step()


def bare_products(X, shape, epochs):
    """The matrix products of SAM's gradients and nothing else."""
    rng = np.random.default_rng(0)
    n_in, hidden, batch = shape["n_features"], shape["hidden"], shape["batch"]
    W1, W2 = (rng.standard_normal(s).astype(X.dtype) for s in [(n_in, hidden), (hidden, N_CLASSES)])
    G1, G2 = np.empty_like(W1), np.empty_like(W2)
    H, D = (np.empty((batch, hidden), X.dtype) for _ in range(2))
    F = np.empty((batch, N_CLASSES), X.dtype)
    for _ in range(epochs):
        for start in range(0, len(X), batch):
            rows = X[start : start + batch]
            n = len(rows)
            for _ in range(2):
                np.matmul(rows, W1, out=H[:n])
                np.matmul(H[:n], W2, out=F[:n])
                np.matmul(H[:n].T, F[:n], out=G2)
                np.matmul(F[:n], W2.T, out=D[:n])
                np.matmul(rows.T, D[:n], out=G1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{os.cpu_count()} threads; least time of {args.repeats} interleaved repeats")

    X, y = make_data(**LARGE, dtype=np.float32)
    ours = network(FlatMLPClassifier, LARGE, SAM(base="sgd"), args.epochs, rho=RHO, measures=None)
    times = best_times(
        {
            "skflat": lambda: ours.fit(X, y),
            "torch": lambda: torch_sam(X, y, LARGE, args.epochs),
            "floor": lambda: bare_products(X, LARGE, args.epochs),
        },
        args.repeats,
    )
    print(f"SAM, 20,000 x 784, hidden 256, batch 128, float32, {args.epochs} epochs:")
    print("  " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in times.items()))
    print_ratio("whole fit / PyTorch SAM loop", times["skflat"], times["torch"], 0.85)
    print_ratio("whole fit / bare matrix products", times["skflat"], times["floor"], 1.6)

    for shape, epochs in ((LARGE, max(1, args.epochs // 2)), (SMALL, 20)):
        for dtype in (np.float32, np.float64):
            X, y = make_data(**shape, dtype=dtype)
            for solver in ("sgd", "adam"):
                ours = network(FlatMLPClassifier, shape, solver, epochs, measures=None)
                peer = network(MLPClassifier, shape, solver, epochs)
                times = best_times(
                    {"skflat": partial(ours.fit, X, y), "sklearn": partial(peer.fit, X, y)},
                    args.repeats,
                )
                size = f"{shape['n_rows']:,} x {shape['n_features']}"
                label = f"{solver}, {size}, {np.dtype(dtype).name} / scikit-learn"
                print_ratio(label, times["skflat"], times["sklearn"], 0.85)


if __name__ == "__main__":
    main()

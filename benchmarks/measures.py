"""The measures against PyHessian and curvlinops, and against the matrix products they need.

python benchmarks/measures.py [--data DIR] [--rows 5000] [--draws 1000] [--dtype float64]

A network 784-256-10 of scikit-learn, trained for a few epochs on 5,000 rows of Fashion-MNIST; all
in the same precision and with equal numbers of threads.
"""

import argparse
import time
import warnings
from functools import partial
from multiprocessing import get_context

import numpy as np
import torch
from _data import add_data_argument, fashion_mnist
from _timing import best_times, print_ratio
from curvlinops import HessianLinearOperator
from pyhessian import hessian as pyhessian
from scipy.sparse.linalg import eigsh
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skflat.measures import hessian_eigenvalues, hessian_trace, local_energy

N_FEATURES, N_HIDDEN, N_CLASSES = 784, 256, 10


def rows_of(args):
    X, y, *_ = fashion_mnist(args.data)
    return (X[: args.rows] / 255).astype(args.dtype), y[: args.rows]


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def trained(X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return MLPClassifier((N_HIDDEN,), max_iter=5, random_state=0).fit(X, y)


def in_torch(clf, X, y):
    """The same network and rows for PyTorch."""
    layers = [torch.nn.Linear(*W.shape, dtype=torch.from_numpy(X).dtype) for W in clf.coefs_]
    for layer, W, b in zip(layers, clf.coefs_, clf.intercepts_, strict=True):
        layer.weight.data = torch.from_numpy(np.ascontiguousarray(W.T))
        layer.bias.data = torch.from_numpy(b.copy())
    model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1])
    return model, torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))


# ------------------------------------------------------------------------------------ trace


def bench_trace(clf, X, y, n_seeds=10):
    """PyHessian stops after a number of probes that is drawn, so it runs with several seeds."""
    model, inputs, targets = in_torch(clf, X, y)
    loss, estimates, ours, theirs = torch.nn.CrossEntropyLoss(), [], [], []

    def estimate():
        hessian = pyhessian(model, loss, data=(inputs, targets), cuda=False)
        estimates.append(hessian.trace())
        model.zero_grad(set_to_none=True)

    for seed in range(n_seeds + 1):
        torch.manual_seed(seed)
        theirs.append(seconds(estimate))
        time.sleep(0.2)  # PyTorch's threads spin on for a moment
        ours.append(seconds(partial(hessian_trace, clf, X, y)))
    exact = hessian_trace(clf, X, y)
    ours, theirs = np.mean(ours[1:]), np.mean(theirs[1:])  # the first ones warmed up
    print(
        f"\ntrace {exact.value:.6g} ({exact.kind}); PyHessian's trace() at its defaults, by seed:"
    )
    print("  probes " + ", ".join(str(len(probes)) for probes in estimates[1:]))
    errors = [100 * abs(np.mean(probes) / exact.value - 1) for probes in estimates[1:]]
    print("  off by " + ", ".join(f"{error:.2g}" for error in errors) + " %")
    print(f"  {1e3 * ours:.0f} ms, PyHessian {1e3 * theirs:.0f} ms in the mean")
    print_ratio("exact trace / PyHessian's estimate", ours, theirs, 1 / 30)


# ------------------------------------------------------------------------------- eigenvalue


def bench_eigenvalue(clf, X, y, repeats):
    model, inputs, targets = in_torch(clf, X, y)
    loss, found = torch.nn.CrossEntropyLoss(), {}
    start = np.random.default_rng(0).standard_normal(
        sum(W.size for W in clf.coefs_) + N_HIDDEN + N_CLASSES
    )

    def ours():
        found["ours"] = hessian_eigenvalues(clf, X, y).value

    def theirs():
        operator = HessianLinearOperator(
            model,
            loss,
            list(model.parameters()),
            [(inputs, targets)],
            check_deterministic=False,
        ).to_scipy()
        values, _ = eigsh(operator, 1, which="LA", tol=1e-6, v0=start.astype(X.dtype))
        found["curvlinops"] = float(values[0])

    times = best_times({"ours": ours, "curvlinops": theirs}, repeats)
    exact = hessian_eigenvalues(clf, X, y, tol=1e-12).value
    print(f"\ntop eigenvalue {exact:.9g}, tol=1e-6 for both:")
    for name, value in found.items():
        print(f"  {name:<12}{times[name]:7.2f} s   relative error {abs(value / exact - 1):.1e}")
    print_ratio("ours / curvlinops with eigsh", times["ours"], times["curvlinops"], 0.5)


# ----------------------------------------------------------------------------- local energy


def bare_products(X, n_draws):
    """The products that so many draws in both directions need, and nothing else."""
    rng = np.random.default_rng(0)
    W0 = rng.standard_normal((N_FEATURES, N_HIDDEN)).astype(X.dtype)
    W1 = rng.standard_normal((N_HIDDEN, N_CLASSES)).astype(X.dtype)
    z, F = np.empty((len(X), N_HIDDEN), X.dtype), np.empty((len(X), N_CLASSES), X.dtype)
    with threadpool_limits(1):
        for _ in range(n_draws):
            np.matmul(X, W0, out=z)
            np.matmul(z, W1, out=F)
            np.matmul(z, W1, out=F)


def worker_of_products(X, ready, go, n_draws):
    bare_products(X, 2)
    ready.set()
    go.wait()
    bare_products(X, n_draws)


def two_processes(X, n_draws):
    """Seconds for half of the products each in two processes that are up already."""
    context = get_context("spawn")
    go, ready = context.Event(), [context.Event(), context.Event()]
    workers = [
        context.Process(target=worker_of_products, args=(X, each, go, n_draws // 2))
        for each in ready
    ]
    for worker in workers:
        worker.start()
    for each in ready:
        each.wait()
    start = time.perf_counter()
    go.set()
    for worker in workers:
        worker.join()
    return time.perf_counter() - start


def bench_local_energy(clf, X, y, n_draws):
    energy = partial(local_energy, clf, X, y, scale=0.3)
    energy(n_draws=32)
    energy(n_draws=64, n_jobs=2)  # starts the workers
    # Each measurement between two of its rival, so that a slow spell hits both.
    bare = [seconds(partial(bare_products, X, n_draws))]
    one = seconds(partial(energy, n_draws=n_draws))
    bare.append(seconds(partial(bare_products, X, n_draws)))
    both = [two_processes(X, n_draws)]
    two = seconds(partial(energy, n_draws=n_draws, n_jobs=2))
    both.append(two_processes(X, n_draws))
    print(f"\nlocal energy, {n_draws} draws in both directions, one scale:")
    print(f"  one worker {one:.1f} s, products alone {bare[0]:.1f} and {bare[1]:.1f} s")
    print_ratio("one worker / the products it needs", one, np.mean(bare), 1.3)
    print(f"  two workers {two:.1f} s, products in two processes {both[0]:.1f} and {both[1]:.1f} s")
    ours, theirs = one / two, np.mean(bare) / np.mean(both)
    print(f"  speed-up by a second worker: {ours:.2f}, of the products alone {theirs:.2f}")
    print_ratio("their speed-up / ours", theirs, ours, 1 / 0.9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_argument(parser)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--draws", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    args = parser.parse_args()
    X, y = rows_of(args)
    clf = trained(X, y)
    torch.set_num_threads(args.threads)
    setting = f"{args.dtype}, torch {torch.__version__}, {args.threads} threads"
    print(f"784-256-10 on {len(X):,} rows, {setting}")
    with threadpool_limits(args.threads):
        bench_trace(clf, X, y)
        if args.dtype == "float64":  # single precision does not reach 1e-6
            bench_eigenvalue(clf, X, y, args.repeats)
    bench_local_energy(clf, X, y, args.draws)


if __name__ == "__main__":
    main()

"""What the three measures add to a fit with default settings, on 10,000 Fashion-MNIST rows.

python benchmarks/overhead.py [--data DIR] [--max-iter 200]
"""

import argparse
import time
import warnings

from _data import add_data_argument, fashion_mnist
from _timing import print_ratio
from sklearn.exceptions import ConvergenceWarning

from skflat import FlatMLPClassifier


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_data_argument(parser)
    parser.add_argument("--max-iter", type=int, default=200)
    args = parser.parse_args()
    X, y, *_ = fashion_mnist(args.data)
    X, y = X[:10_000] / 255, y[:10_000]
    warnings.simplefilter("ignore", ConvergenceWarning)
    clf = FlatMLPClassifier(measures=None, max_iter=args.max_iter, random_state=0)
    fit = seconds(lambda: clf.fit(X, y))
    print(f"default fit: {fit:.1f} s, {clf.n_iter_} epochs")
    total = 0.0
    for name in ("sharpness", "flatness", "weakness"):
        clf.set_params(measures=(name,))
        spent = seconds(lambda: clf.measure(X, y))
        total += spent
        print(f"  {name:<10} {spent:6.2f} s   {clf.measurements_[name]}")
    print_ratio("three measures / fit", total, fit, 0.10)


if __name__ == "__main__":
    main()

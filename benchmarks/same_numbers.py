"""Whether a change keeps all numbers: digests of what skflat computes on small seeded data.

python benchmarks/same_numbers.py --write FILE    before the change
python benchmarks/same_numbers.py --check FILE    after it; exit code 1 if a case differs or is gone
python benchmarks/same_numbers.py --show NAME     what the cases with NAME in their names hold

A case is a fit, a measurement, a display, an experiment or a call. Its digest covers all arrays,
numbers and strings of the result, bit for bit, and no times. What is refused is a case too: its
digest is that of the error. Only public names are used, so private modules may move. Digests depend
on the machine and the versions of the libraries: FILE serves where it was written. A run takes a
minute or two.
"""

import argparse
import hashlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # this tree, whatever is installed
from _small_cases import Refusal, attempt, cases, without_case

NO_NUMBERS = {"seconds"}  # they differ every time


def leaves(value, path=""):
    """Every array, number and string that a result holds, with its path, in a fixed order."""
    value = opened(value)
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            if key not in NO_NUMBERS:
                yield from leaves(value[key], f"{path}.{key}")
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from leaves(each, f"{path}[{place}]")
    else:
        yield path, value


def opened(value):
    """A dict or list of what is inside, or an array; of other objects only that there is one."""
    if isinstance(value, BaseEstimator):
        return fitted_attributes(value) or value.get_params(deep=False)
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, pd.DataFrame):
        return value.reset_index().to_dict("list")
    if isinstance(value, set | frozenset):
        return sorted(map(opened, value))
    if isinstance(value, Mapping | list):
        return value
    if isinstance(value, tuple | Iterator):
        return list(value)
    array = value.toarray() if sparse.issparse(value) else np.asarray(value)
    if array.dtype != object:
        return array
    return array.tolist() if array.ndim else np.asarray("None" if value is None else "object")


def fitted_attributes(estimator):
    names = [name for name in dir(estimator) if name.endswith("_") and not name.startswith("_")]
    return {name: getattr(estimator, name) for name in names if hasattr(estimator, name)}


def digest(result):
    found = hashlib.sha256()
    for path, array in leaves(result):
        found.update(f"{path} {array.dtype.str} {array.shape} ".encode())
        found.update(array.tobytes())
    return found.hexdigest()[:16]


def results(part=""):
    """Name and result of the cases with ``part`` in their names."""
    for name, compute in cases():
        if part in name:
            result = attempt(compute)
            yield f"{name} (refused)" if isinstance(result, Refusal) else name, result


def show(part):
    np.set_printoptions(floatmode="unique", threshold=sys.maxsize, linewidth=100)
    for name, result in results(part):
        print(name, *(f"  {path} {array}" for path, array in leaves(result)), sep="\n")


def report(before, after):
    """Print which cases are not what they were; whether all are."""
    differ = [name for name in before if name in after and before[name] != after[name]]
    missing, new = before.keys() - after.keys(), after.keys() - before.keys()
    for word, names in (("differs", differ), ("missing", missing), ("new", new)):
        for name in sorted(names):
            print(f"{word:<8} {name}")
    print(f"{len(differ)} differ, {len(missing)} missing, {len(new)} new, of {len(after)} cases")
    return not (differ or missing)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", metavar="FILE", type=Path)
    what.add_argument("--check", metavar="FILE", type=Path)
    what.add_argument("--show", metavar="NAME")
    args = parser.parse_args()
    matplotlib.use("Agg")
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if args.show is not None:
            show(args.show)
            return
        found = {name: digest(result) for name, result in results()}
    for name in without_case():
        print(f"There is no case about {name}.", file=sys.stderr)
    if args.write:
        args.write.write_text("".join(f"{found[name]} {name}\n" for name in found))
        print(f"{len(found)} cases")
    else:
        lines = args.check.read_text().splitlines()
        sys.exit(not report({line[17:]: line[:16] for line in lines}, found))


if __name__ == "__main__":
    main()

"""The members of an ensemble: networks of several seeds, and points of their trajectories."""

import copy

import numpy as np
from sklearn.base import clone

#: What a trajectory needs of a network besides ``fit``.
WALKS = ("partial_fit", "learning_rate_init")


def members(estimator, data, seed, n_cycles, cycle_length):
    """The network of that seed, and where it is after every further cycle.

    Parameters
    ----------
    estimator : estimator
        Not changed.
    data : tuple of X, y and sample_weight, which may be None
    seed : int
    n_cycles : int
        How many networks to return.
    cycle_length : int
        Epochs of every cycle.

    Returns
    -------
    list of estimator
    """
    network = seeded(clone(estimator), seed)
    network.fit(*_given(data))
    return [network, *_walk(network, data, seed, n_cycles - 1, cycle_length)]


def _walk(network, data, seed, n_cycles, cycle_length):
    """Copies of the network at the ends of further cycles."""
    if n_cycles == 0:
        return
    rate = network.learning_rate_init
    # Every call of partial_fit asks for a generator, and a number would give the same batches.
    walker = _constant(copy.deepcopy(network)).set_params(random_state=np.random.RandomState(seed))
    for _ in range(n_cycles):
        for epoch in range(cycle_length):
            fall = (1 + np.cos(np.pi * epoch / cycle_length)) / 2
            walker.set_params(learning_rate_init=float(rate * fall)).partial_fit(*_given(data))
        yield copy.deepcopy(walker).set_params(**network.get_params(deep=False))


def _constant(network):
    """The network without what would end its training or change its rate."""
    plain = {"early_stopping": False, "learning_rate": "constant"}
    return network.set_params(**{name: plain[name] for name in plain if hasattr(network, name)})


def _given(data):
    """Arguments of ``fit``; no weights where there are none."""
    X, y, weight = data
    return (X, y) if weight is None else (X, y, weight)


def seeded(estimator, seed):
    """The estimator with that seed, in all its parts that have one."""
    names = [name for name in estimator.get_params() if name.split("__")[-1] == "random_state"]
    return estimator.set_params(**dict.fromkeys(names, seed))


def check_can_walk(estimator, n_cycles):
    """Refuse several cycles of what has no ``partial_fit``."""
    missing = [name for name in WALKS if not hasattr(estimator, name)]
    if n_cycles > 1 and missing:
        raise ValueError(
            f"n_cycles={n_cycles} needs an estimator with {' and '.join(WALKS)}; "
            f"{type(estimator).__name__} with these parameters has no {' and '.join(missing)}."
        )

"""Which measures change if the parameters change and the outputs do not."""

import copy

import numpy as np
import pytest
from fitted import FUNCTIONS, fitted, rescaled
from numpy.testing import assert_allclose
from turns import in_turn

# These fits are short on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def neuron_rescaled(network, factor=3.0):
    """Every second unit of the first hidden layer, its outgoing weights the other way."""
    network = copy.deepcopy(network)
    network.coefs_[0][:, ::2] *= factor
    network.intercepts_[0][::2] *= factor
    network.coefs_[1][::2] /= factor
    return network


def permuted(network):
    """The units of the first hidden layer in another order."""
    network = copy.deepcopy(network)
    order = np.random.default_rng(0).permutation(network.coefs_[0].shape[1])
    network.coefs_[0] = network.coefs_[0][:, order]
    network.intercepts_[0] = network.intercepts_[0][order]
    network.coefs_[1] = network.coefs_[1][order]
    return network


CHANGES = {
    "layer": lambda network: rescaled(network, 3.0),
    "neuron": neuron_rescaled,
    "permutation": permuted,
}

# What does not notice a rescaling of layers, and of single units.
LAYER = {
    ("adaptive_sharpness", ()),
    ("adaptive_sharpness", (("average", True),)),
    ("effective_rank", ()),
    ("effective_rank", (("features", "logits"),)),
    ("effective_rank", (("normalize", True),)),
    ("fisher_rao_norm", ()),
    ("fisher_rao_norm", (("labels", "data"),)),
    ("flatness", (("norm", "block"),)),
    ("flatness", (("norm", "weight"),)),
    ("live_units", ()),
    ("local_energy", (("noise", "weight"),)),
    ("local_energy", (("noise", "block"),)),
    ("magnitude_sharpness", ()),
    ("margins", ()),
    ("margins", (("normalization", "layers"),)),
    ("maximal_variation", (("norm", "block"),)),
    ("maximal_variation", (("norm", "weight"),)),
    ("noise_stability", (("noise", "weight"),)),
    ("noise_stability", (("noise", "block"),)),
    ("normalized_margin", ()),
    ("orbit_trace", ()),
    ("path_norm", ()),
    ("path_norm", (("p", 1),)),
    ("relative_flatness", ()),
    ("relative_flatness", (("normalize", True),)),
    ("spectral_norms", ()),
    ("weakness", ()),
    ("weakness", (("count", "statements"), ("n_probes", 2))),
    ("weakness", (("features", "hidden"),)),
}
NEURON = {
    row
    for row in LAYER
    if ("norm", "block") not in row[1]
    and ("noise", "block") not in row[1]
    and ("normalization", "layers") not in row[1]
    and row not in {("relative_flatness", ()), ("effective_rank", ()), ("spectral_norms", ())}
}
NEITHER = {
    ("dominant_subspace", (("k", 2),)),
    ("flatness", ()),
    ("gradient_noise", ()),
    ("hessian_eigenvalues", ()),
    ("learning_coefficient", ()),
    ("local_energy", (("noise", "isotropic"), ("scale", 0.1))),
    ("local_energy", (("noise", "sphere"),)),
    ("local_volume", ()),
    ("local_volume", (("prior", "uniform"),)),
    ("maximal_variation", ()),
    ("noise_stability", (("noise", "isotropic"),)),
    ("noise_stability", (("noise", "sphere"),)),
    ("pac_bayes_bound", ()),
    ("sharpness", ()),
    ("soft_rank", ()),
    ("spectral_density", ()),
    ("takeuchi_criterion", ()),
}
# Noise and searches are drawn parameter by parameter, so a permutation draws others.
DRAWN = {
    "learning_coefficient",
    "local_energy",
    "local_volume",
    "magnitude_sharpness",
    "noise_stability",
    "pac_bayes_bound",
    "spectral_density",
}


# Invariances hold draw by draw, so a few draws show them.
FEW = {
    "local_energy": {"n_draws": 10},
    "noise_stability": {"n_draws": 4},
    "pac_bayes_bound": {"n_draws": 4},
    "learning_coefficient": {"n_draws": 20, "n_chains": 2},
    "spectral_density": {"n_probes": 4},
}


def test_the_table_has_every_measure():
    assert {name for name, _ in LAYER | NEITHER} == set(FUNCTIONS)


def changes_it(row, change):
    """How much the value changes, as a share, and how much it may."""
    name, settings = row
    estimator, X, y = fitted("classes")
    values = [
        FUNCTIONS[name](network, X, y, **FEW.get(name, {}) | dict(settings)).value
        for network in (estimator, CHANGES[change](estimator))
    ]
    return abs(values[1] / values[0] - 1)


@pytest.mark.parametrize("change", ["layer", "neuron"])
def test_the_changes_keep_the_outputs(change):
    estimator, X, _ = fitted("classes")
    moved = CHANGES[change](estimator)
    assert_allclose(moved.predict_proba(X), estimator.predict_proba(X), rtol=1e-10)


@pytest.mark.parametrize("row", sorted(LAYER | NEITHER), ids=str)
@pytest.mark.parametrize(("change", "unmoved"), [("layer", LAYER), ("neuron", NEURON)])
def test_what_must_not_move_does_not_and_what_must_move_does(row, change, unmoved):
    moved = changes_it(row, change)
    assert moved < 1e-8 if row in unmoved else moved > 1e-3


@pytest.mark.parametrize("row", in_turn(2, sorted(LAYER | NEITHER)), ids=str)
def test_the_order_of_the_units_is_no_matter(row):
    """Up to the standard error where noise is drawn, and a little where a search is."""
    if row[0] in DRAWN or ("average", True) in row[1]:
        estimator, X, y = fitted("classes")
        settings = dict(row[1]) | ({"n_probes": 40} if row[0] == "spectral_density" else {})
        first, second = (
            FUNCTIONS[row[0]](network, X, y, **settings)
            for network in (estimator, permuted(estimator))
        )
        assert abs(first.value - second.value) < 4 * np.hypot(first.stderr, second.stderr)
    else:
        searched = row[0] in {"flatness", "maximal_variation", "adaptive_sharpness"}
        assert changes_it(row, "permutation") < (1e-2 if searched else 1e-5)

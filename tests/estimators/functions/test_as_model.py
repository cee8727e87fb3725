"""Functions and networks that were fitted elsewhere are measured like our own."""

import pickle
from inspect import signature

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import hessian
from fitted import FUNCTIONS, OF_CLASSES
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale

from skflat import as_model, from_state_dict
from skflat.measures import hessian_eigenvalues, hessian_trace, weakness
from skflat.objective import NotDefinedError

X, Y = load_iris(return_X_y=True)
X = scale(X)
NET = MLPClassifier((6, 5), "tanh", max_iter=3000, random_state=0).fit(X, Y)


def as_state(network, prefix=""):
    """What PyTorch would hand over: weights (n_out, n_in), with gaps in the numbers."""
    layers = zip(network.coefs_, network.intercepts_, strict=True)
    return {
        f"{prefix}{2 * place}.{kind}": array
        for place, (W, b) in enumerate(layers)
        for kind, array in (("weight", W.T), ("bias", b))
    }


@pytest.mark.parametrize("name", ["sharpness", "weakness", "effective_rank", "relative_flatness"])
def test_a_state_dict_is_measured_as_the_network(name):
    params, forward, features = from_state_dict(as_state(NET), "tanh")
    model = as_model(params, forward, X, Y, features=features)
    if name == "sharpness":  # without a closed form: as many products as parameters
        found = hessian_trace(model, X, Y, n_products=100)
    else:
        found = FUNCTIONS[name](model, X, Y)
    assert found.value == pytest.approx(FUNCTIONS[name](NET, X, Y).value, rel=1e-6)


def test_it_predicts_as_the_network():
    params, forward, features = from_state_dict(as_state(NET, "body."), "Tanh")
    model = as_model(params, forward, X, Y, features=features)
    assert_allclose(model.predict_proba(X), NET.predict_proba(X), atol=1e-12)
    assert_array_equal(model.predict(X), NET.predict(X))
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), NET.predict(X))
    before = model.params_["W0"].copy()
    model.partial_fit(X, Y)
    assert not np.array_equal(model.params_["W0"], before)


def test_names_of_classes_and_rows_without_all_of_them():
    names = np.array(["x", "y", "z"])
    params, forward, _ = from_state_dict(as_state(NET), ["tanh", "tanh"])
    model = as_model(params, forward, X[:80], names[Y[:80]], classes=names)
    assert_array_equal(model.predict(X), names[NET.predict(X)])
    assert 0 <= weakness(model, X[:80], names[Y[:80]]).value <= 1


def test_two_scores_for_two_classes():
    rng = np.random.default_rng(0)
    state = {"0.weight": rng.normal(size=(4, 4)), "1.weight": rng.normal(size=(2, 4))}
    params, forward, features = from_state_dict(state, "selu")
    model = as_model(params, forward, X, Y == 0, features=features)
    F = forward(params, X)
    assert_array_equal(model.predict(X), F[:, 1] > F[:, 0])
    assert model.predict_proba(X).shape == (len(X), 2)
    assert hessian_eigenvalues(model, X, Y == 0).value > 0


def test_a_line_against_its_hessian():
    ridge = Ridge().fit(X[:, :2], X[:, 2])
    line = {"w": ridge.coef_, "b": np.array(ridge.intercept_)}
    model = as_model(line, lambda p, X: X @ p["w"] + p["b"], X[:, :2], X[:, 2])
    assert_allclose(model.predict(X[:, :2]), ridge.predict(X[:, :2]))
    columns = np.column_stack([X[:, :2], np.ones(len(X))])
    expected = np.trace(columns.T @ columns) / len(X)
    assert hessian_trace(model, X[:, :2], X[:, 2]).value == pytest.approx(expected, rel=1e-12)


def test_a_loss_of_its_own_against_the_dense_hessian():
    def loss(F, y):
        return anp.log(anp.cosh(F - y))

    def forward(params, X):
        return anp.tanh(X @ params["A"]) @ params["B"]

    rng = np.random.default_rng(0)
    shapes = {"A": (3, 4), "B": (4, 1)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    model = as_model(params, forward, X[:, :3], X[:, 3], loss=loss, predict=lambda F: F[:, 0] + 1)

    def mean(w):
        A, B = anp.reshape(w[:12], (3, 4)), anp.reshape(w[12:], (4, 1))
        return anp.mean(loss(forward({"A": A, "B": B}, X[:, :3]), X[:, 3:]))

    H = hessian(mean)(np.concatenate([params["A"].ravel(), params["B"].ravel()]))
    assert hessian_trace(model, X[:, :3], X[:, 3]).value == pytest.approx(np.trace(H), rel=1e-10)
    F = forward(params, X[:, :3])
    assert_allclose(model.predict(X[:, :3]), F[:, 0] + 1)


#: To what they need of a network, and a function does not say.
OF_NETWORKS = {
    "orbit_trace": "a known symmetry",
    "path_norm": "affine layers",
    "spectral_norms": "affine layers",
}
QUICK = ["sharpness", "flatness", "weakness", "effective_rank", "relative_flatness"]
OF_NUMBERS = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name, function in FUNCTIONS.items()
    if function not in OF_CLASSES and name not in OF_NETWORKS
]


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_every_measure_of_numbers(name):
    rng = np.random.default_rng(0)
    state = {"0.weight": rng.normal(size=(5, 4)), "2.weight": rng.normal(size=(2, 5))}
    params, forward, features = from_state_dict(state, "gelu")
    model = as_model(params, forward, X, X[:, :2], features=features)
    few = {"n_draws": 4} if "n_draws" in signature(FUNCTIONS[name]).parameters else {}
    assert np.isfinite(FUNCTIONS[name](model, X, X[:, :2], **few).value)


@pytest.mark.parametrize("name", OF_NETWORKS)
def test_the_layers_and_symmetries_of_a_function_are_not_known(name):
    params, forward, _ = from_state_dict({"0.weight": np.ones((2, 4))}, "relu")
    model = as_model(params, forward, X, X[:, :2])
    with pytest.raises(NotDefinedError, match=f"needs {OF_NETWORKS[name]}"):
        FUNCTIONS[name](model, X, X[:, :2])


@pytest.mark.parametrize(
    ("state", "activations", "message"),
    [
        ({}, "relu", "at least one Linear layer"),
        ({"0.weight": np.ones((2, 3, 3, 3))}, "relu", r"Linear layers only.*'0.weight' of shape"),
        ({"1.running_mean": np.ones(3)}, "relu", "Linear layers only.*'1.running_mean'"),
        ({"0.weight": np.ones((4, 3)), "0.bias": np.ones(3)}, "relu", "layer '0' do not fit"),
        ({"0.weight": np.ones((4, 3)), "1.weight": np.ones((2, 5))}, "relu", "4 outputs cannot"),
        ({"0.weight": np.ones((4, 3)), "1.weight": np.ones((2, 4))}, "step", "'step'"),
        ({"0.weight": np.ones((4, 3))}, ["relu"], "each of the 0 hidden layers"),
        ({"0.weight": "text"}, "relu", "must be an array"),
    ],
)
def test_another_state_is_refused(state, activations, message):
    with pytest.raises(ValueError, match=message):
        from_state_dict(state, activations)


def test_against_a_dense_hessian_of_pytorch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(4, 5), torch.nn.SiLU(), torch.nn.Linear(5, 3, bias=False)
    ).double()
    params, forward, features = from_state_dict(net.state_dict(), "SiLU")
    model = as_model(params, forward, X, Y, features=features)
    arrays, rows, labels = tuple(net.parameters()), torch.from_numpy(X), torch.from_numpy(Y)
    sizes = [array.numel() for array in arrays]

    def mean(w):
        parts = [part.view_as(array) for part, array in zip(w.split(sizes), arrays, strict=True)]
        named = dict(zip(net.state_dict(), parts, strict=True))
        return torch.nn.functional.cross_entropy(
            torch.func.functional_call(net, named, (rows,)), labels
        )

    w = torch.cat([array.detach().flatten() for array in arrays])
    H = torch.autograd.functional.hessian(mean, w).numpy()
    found = hessian_trace(model, X, Y, n_products=60).value
    assert found == pytest.approx(np.trace(H), rel=1e-9)
    top = hessian_eigenvalues(model, X, Y).value
    assert top == pytest.approx(np.linalg.eigvalsh(H)[-1], rel=1e-6)

"""Activations: PyTorch's values, and the behaviour for large inputs, near 0 and in float32."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from skflat import FlatMLPClassifier
from skflat.models.mlp import ACTIVATIONS

POINTS = [-20.0, -5.0, -2.0, -1.0, -0.3, 0.0, 0.3, 1.0, 2.0, 5.0, 20.0]
#: Outputs, first and second derivatives at these points, by PyTorch 2.14.
PYTORCH = {
    "gelu": [
        [
            0.0,
            -1.43325785934012e-06,
            -0.0455002638963584,
            -0.158655253931457,
            -0.114626573343314,
            0.0,
            0.185373426656686,
            0.841344746068543,
            1.95449973610364,
            4.99999856674214,
            20,
        ],
        [
            -1.10418967243195e-86,
            -7.14694600180346e-06,
            -0.0852318010781969,
            -0.0833154705876863,
            0.26767223317289,
            0.5,
            0.73232776682711,
            1.08331547058769,
            1.0852318010782,
            1.000007146946,
            1,
        ],
        [
            -2.19733744813959e-85,
            -3.41945488388888e-05,
            -0.107981933026376,
            0.241970724519143,
            0.728450727529601,
            0.797884560802865,
            0.728450727529601,
            0.241970724519143,
            -0.107981933026376,
            -3.41945488388888e-05,
            -2.19733744813959e-85,
        ],
    ],
    "silu": [
        [
            -4.12230723638041e-08,
            -0.0334642546214243,
            -0.238405844044235,
            -0.268941421369995,
            -0.127667244956502,
            0.0,
            0.172332755043498,
            0.731058578630005,
            1.76159415595576,
            4.96653574537858,
            19.9999999587769,
        ],
        [
            -3.91619186606468e-08,
            -0.0265474324296659,
            -0.0907842487848955,
            0.0723294881285133,
            0.352219989681117,
            0.5,
            0.647780010318883,
            0.927670511871487,
            1.0907842487849,
            1.02654743242967,
            1.00000003916192,
        ],
        [
            -3.71007648810191e-08,
            -0.0194992254900325,
            0.0500621686947069,
            0.302366118810015,
            0.477997768194819,
            0.5,
            0.477997768194819,
            0.302366118810015,
            0.050062168694707,
            -0.0194992254900322,
            -3.71007662126149e-08,
        ],
    ],
    "selu": [
        [
            -1.75809933722366,
            -1.74625336066962,
            -1.52016646859569,
            -1.11133073781256,
            -0.455667315379122,
            0.0,
            0.315210296206644,
            1.05070098735548,
            2.10140197471096,
            5.2535049367774,
            21.0140197471096,
        ],
        [
            3.62371282499441e-09,
            0.0118459801777567,
            0.237932872251682,
            0.646768603034814,
            1.30243202546825,
            1.75809934084738,
            1.05070098735548,
            1.05070098735548,
            1.05070098735548,
            1.05070098735548,
            1.05070098735548,
        ],
        [
            3.62371282499441e-09,
            0.0118459801777567,
            0.237932872251682,
            0.646768603034814,
            1.30243202546825,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ],
    ],
    "mish": [
        [
            -4.12230724062876e-08,
            -0.0335762377301617,
            -0.252501482695709,
            -0.303401461374109,
            -0.151133177138335,
            0.0,
            0.208001372348115,
            0.86509838826731,
            1.94395895953399,
            4.99955207752941,
            20,
        ],
        [
            -3.91619187434897e-08,
            -0.0267474980199019,
            -0.108355092420394,
            0.059216755877395,
            0.408510876935702,
            0.6,
            0.78282729955113,
            1.04903622009979,
            1.06931793427949,
            1.00080022483208,
            1,
        ],
        [
            -3.71007650424566e-08,
            -0.0198506782626084,
            0.0350270818526592,
            0.349705673670645,
            0.621231733049798,
            0.64,
            0.563394659002067,
            0.184685764473328,
            -0.057724667408294,
            -0.00140567047918815,
            0.0,
        ],
    ],
}
CLOSE = {np.float64: {"rtol": 1e-12, "atol": 1e-13}, np.float32: {"rtol": 1e-6, "atol": 1e-6}}

each_activation = pytest.mark.parametrize("name", ACTIVATIONS)
each_of_pytorch = pytest.mark.parametrize("name", ["gelu", "silu", "selu", "mish"])
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def all_of(name, z):
    """Output and derivatives at some pre-activations, and the derivative times -2 by backward."""
    act = ACTIVATIONS[name]()
    z, before = z.copy(), z
    a = act.forward(z, np.empty_like(z) if act.needs_input else z)
    if act.needs_input:
        assert_array_equal(z, before)
    delta = np.full_like(z, -2)
    act.backward(delta, z, a)
    return a, act.derivative(z, a), act.second_derivative(z, a), delta


def by_pytorch(name, z):
    """Output and derivatives by PyTorch's own function and differentiation."""
    torch = pytest.importorskip("torch")
    z = torch.tensor(z, requires_grad=True)
    a = getattr(torch.nn.functional, name)(z)
    (first,) = torch.autograd.grad(a.sum(), z, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), z)
    return [found.detach().numpy() for found in (a, first, second)]


@each_of_pytorch
@each_dtype
def test_values_and_derivatives_are_those_of_pytorch(name, dtype):
    *found, _ = all_of(name, np.array(POINTS, dtype))
    for ours, theirs in zip(found, PYTORCH[name], strict=True):
        assert_allclose(ours, theirs, **CLOSE[dtype])


@each_of_pytorch
@each_dtype
def test_pytorch_itself_says_the_same(name, dtype):
    z = np.random.default_rng(0).normal(scale=4, size=10_000).astype(dtype)
    z[:5] = [0.0, -0.0, 1e-30, -1e-30, 1e-6]
    *found, _ = all_of(name, z)
    for ours, theirs in zip(found, by_pytorch(name, z.astype(np.float64)), strict=True):
        assert_allclose(ours, theirs, **CLOSE[dtype])


@each_activation
@each_dtype
def test_every_derivative_keeps_the_dtype_and_backward_multiplies_by_the_first(name, dtype):
    found = all_of(name, np.linspace(-4, 4, 33, dtype=dtype).reshape(3, 11))
    assert all(array.dtype == dtype and array.shape == (3, 11) for array in found)
    assert_array_equal(found[-1], -2 * found[1])


@each_activation
@each_dtype
def test_derivatives_are_the_slopes_of_what_is_below_them(name, dtype):
    act, h = ACTIVATIONS[name](), 1e-5
    z = np.linspace(-6, 6, 40)
    _, first, second, _ = all_of(name, z)
    ends = [all_of(name, z + shift) for shift in (h, -h)]
    assert_allclose(first, (ends[0][0] - ends[1][0]) / (2 * h), atol=1e-9)
    assert_allclose(second, (ends[0][1] - ends[1][1]) / (2 * h), atol=1e-9)
    assert_allclose(act.traced(z), all_of(name, z)[0], rtol=1e-13, atol=1e-15)


@each_activation
@each_dtype
@pytest.mark.parametrize("sign", [-1, 1])
def test_far_out_nothing_overflows(name, sign, dtype):
    largest = np.finfo(dtype).max
    z = sign * np.array([50, 1e3, 1e10, largest / 8], dtype)
    with np.errstate(all="raise", under="ignore"):
        a, first, second, _ = all_of(name, z)
    assert np.isfinite([a, first, second]).all()
    assert_allclose(second, 0, atol=1e-12)
    assert_allclose(first, first[-1], atol=1e-12)


@each_of_pytorch
@each_dtype
def test_near_0_the_slope_is_that_at_0(name, dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    at_0 = {"gelu": 0.5, "silu": 0.5, "mish": 0.6, "selu": 1.0507009873554805 * 1.6732632423543772}
    z = -np.array([0, tiny, 7 * tiny, 1e-30, 1e-20, 1e-19], dtype)
    assert_allclose(all_of(name, z)[1], at_0[name], rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@each_of_pytorch
@each_dtype
@pytest.mark.parametrize("solver", ["adam", "sam", "trace", "lbfgs"])
def test_networks_learn_with_them_and_the_trace_is_exact(name, dtype, solver):
    X, y = load_iris(return_X_y=True)
    X = scale(X).astype(dtype)
    clf = FlatMLPClassifier(
        (8, 5), name, solver=solver, learning_rate_init=0.02, max_iter=40, random_state=0
    ).fit(X, y)
    assert clf.score(X, y) > 0.9
    assert clf.measurements_["sharpness"].kind == "exact"
    assert all(array.dtype == dtype for array in clf.coefs_ + clf.intercepts_)

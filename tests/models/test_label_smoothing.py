"""Label smoothing: PyTorch's losses, closed forms, and which parts use the loss without it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.preprocessing import scale

from skflat import FlatMLPClassifier, FlatMLPRegressor
from skflat.measures import hessian_trace, level_set_distance
from skflat.objective import Batch, Binary, Multinomial, NotDefinedError
from skflat.solvers import SOLVERS, LabelNoise

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
X = scale(X)
LABELS = make_multilabel_classification(n_samples=150, n_features=8, random_state=0)
TASKS = {"multiclass": (X, Y), "binary": (X, Y == 1), "multilabel": (scale(LABELS[0]), LABELS[1])}
each_task = pytest.mark.parametrize("task", TASKS)

SCORES = np.array([[1.0, -2.0, 0.5, 0.0], [30.0, -1.0, 2.0, 0.3], [-0.7, 0.1, 0.2, -40.0]])
CODES, YES = np.array([0, 3, 2]), np.array([[1.0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 0]])
#: Loss of every row and its gradient in the scores at a smoothing of 0.1, by PyTorch 2.14.
PYTORCH = {
    "multiclass": [
        [0.817673162318934, 28.947500000000854, 1.8678564636712234],
        [
            [-0.4309769793228399, -0.0004040420942475684, 0.27464010864454586, 0.15674091277254157],
            [0.9749999999991478, -0.024999999999965578, -0.02499999999930856, -0.9249999999998737],
            [0.1508970384964365, 0.3664660583744346, -0.4923630968708711, -0.025],
        ],
    ],
    "yes or no": [
        [2.2324138633012476, 29.659544943029815, 3.6957215783406205],
        [
            [-0.21894142136999517, 0.06920292202211753, 0.5724593312018545, -0.45000000000000007],
            [0.9499999999999065, 0.21894142136999512, -0.06920292202211775, -0.37555748318834103],
            [0.2818122278318339, -0.42502081252106005, -0.4001660026875221, -0.049999999999999996],
        ],
    ],
}


def classifier(**params):
    small = {"hidden_layer_sizes": (5,), "solver": "adam", "random_state": 0, "max_iter": 20}
    return FlatMLPClassifier(**small | {"measures": None, "learning_rate_init": 0.02} | params)


def of_scores(loss, y, dtype=np.float64):
    F = SCORES.astype(dtype)
    return loss.per_sample(F, y), loss.residual(loss.predict(F.copy()), y)


def by_pytorch(kind):
    torch = pytest.importorskip("torch")
    F = torch.tensor(SCORES, requires_grad=True)
    if kind == "multiclass":
        loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1, reduction="none")
        values = loss(F, torch.from_numpy(CODES))
    else:  # two classes each, with scores 0 and F
        loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1, reduction="none")
        pairs = torch.stack([torch.zeros_like(F), F], dim=1)
        values = loss(pairs, torch.from_numpy(YES).long()).sum(dim=1)
    (gradient,) = torch.autograd.grad(values.sum(), F)
    return values.detach().numpy(), gradient.numpy()


@pytest.mark.parametrize(
    ("kind", "loss", "y"),
    [("multiclass", Multinomial(0.1), CODES), ("yes or no", Binary(0.1), YES)],
)
class TestEqualToPyTorch:
    def test_in_fixed_values(self, kind, loss, y):
        for ours, theirs in zip(of_scores(loss, y), PYTORCH[kind], strict=True):
            assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)

    def test_of_pytorch_itself(self, kind, loss, y):
        for ours, theirs in zip(of_scores(loss, y), by_pytorch(kind), strict=True):
            assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)

    def test_in_single_precision(self, kind, loss, y):
        y = y.astype(np.float32) if y.ndim == 2 else y
        found = of_scores(loss, y, np.float32)
        assert all(array.dtype == np.float32 for array in found)
        for ours, theirs in zip(found, PYTORCH[kind], strict=True):
            assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


# Closed forms


@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("reported", [False, True])
def test_it_is_a_mixture_of_the_losses_of_all_classes(share, reported):
    def losses(loss, y):
        F = SCORES.copy()
        return loss.as_reported(loss.predict(F), y) if reported else loss.per_sample(F, y)

    of_all = np.mean([losses(Multinomial(), np.full(3, k)) for k in range(4)], axis=0)
    expected = (1 - share) * losses(Multinomial(), CODES) + share * of_all
    assert_allclose(losses(Multinomial(share), CODES), expected, rtol=1e-12)
    both = (losses(Binary(), YES) + losses(Binary(), 1 - YES)) / 2
    expected = (1 - share) * losses(Binary(), YES) + share * both
    assert_allclose(losses(Binary(share), YES), expected, rtol=1e-12)


def test_two_classes_smooth_like_a_softmax_of_two():
    F, y = np.array([[0.7], [-3.0], [12.0]]), np.array([[1.0], [1.0], [0.0]])
    pair = Multinomial(0.2).per_sample(np.hstack([np.zeros_like(F), F]), y[:, 0].astype(int))
    assert_allclose(Binary(0.2).per_sample(F, y), pair, rtol=1e-12)


@pytest.mark.parametrize("loss", [Multinomial, Binary])
def test_without_smoothing_nothing_changes_to_the_bit(loss):
    y = CODES if loss is Multinomial else YES
    for ours, plain in zip(of_scores(loss(0.0), y), of_scores(loss(), y), strict=True):
        assert_array_equal(ours, plain)
    assert loss(0.0).unsmoothed().label_smoothing == 0
    assert loss(0.4).unsmoothed().label_smoothing == 0


def test_errors_margins_and_divergences_go_by_the_labels_and_outputs_themselves():
    G = SCORES[::-1].copy()
    for loss, y in ((Multinomial, CODES), (Binary, YES)):
        assert_array_equal(loss(0.4).errors(SCORES, y), loss().errors(SCORES, y))
        assert_array_equal(loss(0.4).margins(SCORES, y), loss().margins(SCORES, y))
        assert_array_equal(loss(0.4).divergence(SCORES, G), loss().divergence(SCORES, G))


def test_the_constant_loss_knows_classes_that_are_not_there():
    rows = Batch(np.zeros((3, 1)), np.array([0, 0, 1]))
    p = 0.8 * np.array([2, 1, 0, 0]) / 3 + 0.05
    assert Multinomial(0.2, 4).constant_loss(rows) == pytest.approx(-p @ np.log(p))
    assert Multinomial(0.0, 4).constant_loss(rows) == Multinomial().constant_loss(rows)
    with pytest.raises(NotDefinedError, match="n_classes, got None"):
        Multinomial(0.2).constant_loss(rows)


@pytest.mark.parametrize(("solver", "digits"), [("lbfgs", 1e-4), ("adam", 1e-2)])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_a_linear_model_that_fits_all_rows_predicts_the_smoothed_labels(solver, digits, n_classes):
    clf = classifier(
        hidden_layer_sizes=(), solver=solver, label_smoothing=0.2, alpha=0, max_iter=2000, tol=1e-9
    )
    P = clf.fit(np.eye(n_classes), np.arange(n_classes)).predict_proba(np.eye(n_classes))
    assert_allclose(P, 0.8 * np.eye(n_classes) + 0.2 / n_classes, atol=digits)


# The estimator


@each_task
def test_the_loss_curve_is_smoothed_and_the_validation_loss_is_not(task):
    inputs, y = TASKS[task]
    clf = classifier(label_smoothing=0.3, alpha=0, batch_size=len(inputs), learning_rate_init=1e-9)
    clf.fit(inputs, y, validation_data=(inputs, y))
    P = clf.predict_proba(inputs)
    if task == "multilabel":
        cross = -np.log(np.where(y, P, 1 - P)).sum(axis=1).mean()
        other = -np.log(np.where(y, 1 - P, P)).sum(axis=1).mean()
        smoothed = 0.85 * cross + 0.15 * other
    else:
        cross = log_loss(y, P)
        smoothed = 0.7 * cross - 0.3 * np.log(P).mean()
    assert clf.loss_curve_[-1] == pytest.approx(smoothed, rel=1e-6)
    assert clf.validation_loss_curve_[-1] == pytest.approx(cross, rel=1e-6)


@each_task
def test_measures_look_at_the_loss_itself(task):
    inputs, y = TASKS[task]
    clf = classifier(label_smoothing=0.2, measures=["sharpness", "flatness"]).fit(inputs, y)
    exact = hessian_trace(clf, inputs, y).value
    assert clf.sharpness_ == pytest.approx(exact, rel=1e-12)
    reach = level_set_distance(clf, inputs, y).value
    clf.set_params(label_smoothing=0.0)
    assert hessian_trace(clf, inputs, y).value == exact
    assert level_set_distance(clf, inputs, y).value == reach


@each_task
@pytest.mark.parametrize("solver", [*SOLVERS, LabelNoise("adam")])
def test_every_solver_smooths(task, solver):
    inputs, y = TASKS[task]
    nets = [
        classifier(solver=solver, label_smoothing=share, max_iter=5).fit(inputs, y)
        for share in (0.0, 0.8)
    ]
    assert np.abs(nets[0].coefs_[0] - nets[1].coefs_[0]).max() > 1e-4


@each_task
def test_it_may_change_between_calls_of_partial_fit(task):
    inputs, y = TASKS[task]
    classes = None if task == "multilabel" else np.unique(y)
    clf = classifier(hidden_layer_sizes=(), alpha=0, learning_rate_init=0.05)
    clf.partial_fit(inputs, y, classes=np.arange(y.shape[1]) if classes is None else classes)
    clf.set_params(label_smoothing=1.0)
    for _ in range(300):
        clf.partial_fit(inputs, y)
    P = clf.predict_proba(inputs)
    assert_allclose(P, 1 / 3 if task == "multiclass" else 0.5, atol=0.01)


def test_labels_that_say_nothing_teach_nothing_and_a_warning_says_so():
    with pytest.warns(ConvergenceWarning, match="no better than the best constant"):
        classifier(label_smoothing=1.0, max_iter=300).fit(X, np.where(np.arange(150) < 100, 0, Y))


@pytest.mark.parametrize("value", [-0.1, 1.5, np.nan, "much", None])
def test_a_share_out_of_range_is_refused_by_name(value):
    with pytest.raises(ValueError, match="The 'label_smoothing' parameter of FlatMLPClassifier"):
        classifier(label_smoothing=value).fit(X, Y)


def test_a_regression_has_no_labels():
    assert "label_smoothing" not in FlatMLPRegressor().get_params()


@each_task
def test_single_precision_stays(task):
    inputs, y = TASKS[task]
    clf = classifier(label_smoothing=0.1).fit(inputs.astype(np.float32), y)
    assert clf.coefs_[0].dtype == np.float32
    twin = classifier(label_smoothing=0.1).fit(inputs, y)
    assert clf.loss_ == pytest.approx(twin.loss_, rel=1e-3)

"""Telling skl2onnx how the estimators are converted."""

from ..estimators.matrices import FlatMatrixFactorization
from ..estimators.networks import (
    FlatMLPClassifier,
    FlatMLPClassifierCV,
    FlatMLPRegressor,
    FlatMLPRegressorCV,
)
from ..estimators.threshold import (
    FlatCommitteeClassifier,
    FlatPerceptronClassifier,
    FlatSphericalPerceptronClassifier,
)
from ..estimators.uncertainty import FlatMLPEnsembleClassifier, FlatMLPEnsembleRegressor
from ._factorization import factorization
from ._networks import (
    classifier,
    ensemble_classifier,
    ensemble_regressor,
    is_multilabel,
    regressor,
)
from ._threshold import committee, perceptron

CLASSIFIERS = {
    FlatMLPClassifier: classifier,
    FlatMLPClassifierCV: classifier,
    FlatMLPEnsembleClassifier: ensemble_classifier,
    FlatPerceptronClassifier: perceptron,
    FlatSphericalPerceptronClassifier: perceptron,
    FlatCommitteeClassifier: committee,
}
REGRESSORS = {
    FlatMLPRegressor: regressor,
    FlatMLPRegressorCV: regressor,
    FlatMLPEnsembleRegressor: ensemble_regressor,
    FlatMatrixFactorization: factorization,
}
#: What skl2onnx may be asked for, of every classifier.
OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [True, False],
    "output_class_labels": [False, True],
}


def register():
    """Let skl2onnx convert the estimators of skflat, also within pipelines and searches.

    Afterwards ``skl2onnx.to_onnx`` takes networks with every named activation, several outputs or
    labels, the Poisson loss, ensembles of networks, perceptrons, committees, and factorizations,
    which take identifiers: whole numbers, or strings. A classifier has two outputs, its predictions
    and one number for every class: a probability, or what ``decision_function`` returns; of two
    classes that is minus it and it. It needs the extra ``onnx``.

    Calling it again does no harm.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Notes
    -----
    Without it, `skflat.to_sklearn` makes networks that skl2onnx knows already.
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError(
            "skflat.onnx.register needs skl2onnx: pip install 'skflat[onnx]'."
        ) from error
    for cls, convert in CLASSIFIERS.items():
        name = f"Skflat{cls.__name__}"
        update_registered_converter(cls, name, _classes_shape, convert, options=OPTIONS)
    for cls, convert in REGRESSORS.items():
        update_registered_converter(cls, f"Skflat{cls.__name__}", _numbers_shape, convert)


def _classes_shape(operator):
    """Types and shapes of what a classifier returns."""
    from skl2onnx.common.data_types import Int64TensorType
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

    fitted = operator.raw_operator
    calculate_linear_classifier_output_shapes(operator)
    if is_multilabel(fitted):
        shape = [operator.inputs[0].get_first_dimension(), len(fitted.classes_)]
        operator.outputs[0].set_type(Int64TensorType(shape))


def _numbers_shape(operator):
    """Type and shape of what a regressor returns."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    given = operator.inputs[0]
    network = getattr(operator.raw_operator, "estimators_", [operator.raw_operator])[0]
    n_outputs = getattr(network, "n_outputs_", 1)
    kind = DoubleTensorType if isinstance(given.type, DoubleTensorType) else FloatTensorType
    operator.outputs[0].set_type(kind([given.get_first_dimension(), n_outputs]))

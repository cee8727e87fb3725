"""Nodes of an ONNX graph, by what they compute."""

import numpy as np

#: Numbers of ONNX for the types of numpy.
TYPES = {"float32": 1, "int64": 7, "str": 8, "float64": 11}
ML = "ai.onnx.ml"


class Graph:
    """A graph in the making; all values go by their names.

    Parameters
    ----------
    scope, operator, container
        As skl2onnx gives them to a converter.
    """

    def __init__(self, scope, operator, container):
        self._scope, self._container = scope, container
        self.estimator = operator.raw_operator
        self.outputs = [output.full_name for output in operator.outputs]
        given = operator.inputs[0]
        self.input = given.full_name
        #: The precision of the graph, that of its inputs.
        self.dtype = np.float64 if "Double" in type(given.type).__name__ else np.float32

    def constant(self, array, dtype=None):
        """An array, by default in the precision of the graph."""
        array = np.asarray(array)
        kind = "str" if array.dtype.kind in "US" else np.dtype(dtype or self.dtype).name
        values = [str(each).encode() for each in array.ravel()] if kind == "str" else array.ravel()
        name = self._scope.get_unique_variable_name("constant")
        if kind != "str":
            values = values.astype(kind).tolist()
        self._container.add_initializer(name, TYPES[kind], list(array.shape), values)
        return name

    def node(self, kind, *inputs, output=None, domain="", **attributes):
        """What an operator of ONNX makes of the inputs."""
        output = output or self._scope.get_unique_variable_name(kind.lower())
        name = self._scope.get_unique_operator_name(kind)
        self._container.add_node(
            kind, list(inputs), output, op_domain=domain, name=name, **attributes
        )
        return output

    def cast(self, value, dtype=None, output=None):
        """The value in another type, by default in the precision of the graph."""
        kind = np.dtype(dtype or self.dtype).name
        return self.node("Cast", value, output=output, to=TYPES[kind])

    def affine(self, value, weights, offsets):
        """``value @ weights + offsets``."""
        product = self.node("MatMul", value, self.constant(weights))
        return self.node("Add", product, self.constant(np.reshape(offsets, (1, -1))))

    def scaled(self, value, factor):
        """A number times the value."""
        return self.node("Mul", value, self.constant([factor]))

    def end(self, value, place):
        """Make a value one of the outputs."""
        self.node("Identity", value, output=self.outputs[place])

    def end_with_classes(self, scores):
        """The class of the largest of the scores, one a class, and these themselves."""
        place = self.node("ArgMax", scores, axis=1, keepdims=0)
        classes = labels(self.estimator.classes_)
        self.node("Gather", self.constant(classes, np.int64), place, output=self.outputs[0])
        self.end(scores, 1)


def labels(classes):
    """Class labels, or identifiers, as ONNX has them: strings or whole numbers."""
    if classes.dtype.kind in "US":
        return classes
    if classes.dtype == object and all(isinstance(each, str) for each in classes):
        return classes.astype(str)
    if classes.dtype.kind in "biuf" and np.array_equal(classes, classes.astype(np.int64)):
        return classes.astype(np.int64)
    raise ValueError(
        f"Classes and identifiers must be strings or whole numbers for ONNX, got {classes!r}."
    )

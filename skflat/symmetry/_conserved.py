"""What gradient flow keeps."""

from ..problems import fitted_model
from ._parameters import innermost


def conserved_quantities(estimator):
    """What gradient flow of any loss of the network's function keeps.

    To every symmetry by symmetric matrices belongs a quadratic function of the parameters whose
    gradient is orthogonal to that of the loss (Josz, arXiv:2509.11386):

    * relu, leaky relu: ``|w_in|^2 + b^2 - |w_out|^2`` of every hidden unit;
    * identity: ``[W; b]' [W; b] - W_out W_out'`` of every hidden layer, a matrix;
    * factorizations of two kinds: ``X'X - Y'Y``;
    * softmax: the sum of the last layer's weights, and intercepts, over the classes.

    Units of other activations have isometries and flips alone, which conserve nothing.

    Parameters
    ----------
    estimator : fitted estimator
        A network, ours or scikit-learn's, ``FlatMatrixFactorization``, or a Pipeline that ends in
        one of them.

    Returns
    -------
    dict of str to ndarray
        By layer, in double precision: ``"layer 1"`` and so on for hidden layers, ``"factors"``,
        ``"softmax"``.

    Raises
    ------
    TypeError
        If the estimator is none of these.

    See Also
    --------
    conservation_drift : How training changes them.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skflat.symmetry import conserved_quantities, flatten
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((4,), solver="lbfgs", alpha=1, max_iter=2000, random_state=0).fit(X, y)
    >>> {name: array.shape for name, array in conserved_quantities(clf).items()}
    {'layer 1': (4,), 'softmax': (5,)}
    >>> balanced = flatten(clf, X, y, criterion="norm")
    >>> bool(abs(conserved_quantities(balanced)["layer 1"]).max() < 1e-9)
    True
    """
    model, w = fitted_model(estimator)
    shared = {"softmax": model.common(w)} if _has_softmax(estimator) else {}
    return model.symmetry.conserved(w) | shared


def _has_softmax(estimator):
    return getattr(innermost(estimator), "out_activation_", None) == "softmax"

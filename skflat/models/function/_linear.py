"""The linear model as a function: the default, and the shortest example."""


def linear(params, X):
    """``X W + b``."""
    return X @ params["W"] + params["b"]


def linear_features(params, X):
    """What ``W`` reads: the inputs."""
    return X


def linear_shapes(rng, n_features, n_outputs):
    """One weight for every feature and output, and an intercept for every output."""
    return {"W": (n_features, n_outputs), "b": (n_outputs,)}

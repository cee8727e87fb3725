"""Write inventories of the few foreign names that the documentation links to.

Sphinx would fetch those of the other projects. So the build needs no network, and the links do not
change with what is online on that day.
"""

import zlib

#: For each project its address, the pattern of its pages, and names by role.
PROJECTS = {
    "python": (
        "https://docs.python.org/3/",
        "library/exceptions.html#{name}",
        {"py:exception": "KeyboardInterrupt MemoryError TypeError ValueError"},
    ),
    "sklearn": (
        "https://scikit-learn.org/stable/",
        "modules/generated/{name}.html#{name}",
        {
            "py:class": """
            sklearn.base.BaseEstimator
            sklearn.calibration.CalibratedClassifierCV
            sklearn.ensemble.HistGradientBoostingClassifier
            sklearn.impute.IterativeImputer
            sklearn.model_selection.GridSearchCV
            sklearn.model_selection.GroupKFold
            sklearn.model_selection.KFold
            sklearn.model_selection.ShuffleSplit
            sklearn.neural_network.MLPClassifier
            sklearn.neural_network.MLPRegressor
            sklearn.pipeline.Pipeline
            """,
            "py:exception": """
            sklearn.exceptions.ConvergenceWarning
            sklearn.exceptions.NotFittedError
            """,
            "py:function": "sklearn.metrics.log_loss",
        },
    ),
    "numpy": (
        "https://numpy.org/doc/stable/",
        "reference/generated/{name}.html#{name}",
        {"py:exception": "numpy.linalg.LinAlgError"},
    ),
    "scipy": (
        "https://docs.scipy.org/doc/scipy/",
        "reference/generated/{name}.html#{name}",
        {"py:function": "scipy.sparse.linalg.eigsh scipy.stats.ks_2samp"},
    ),
    "joblib": (
        "https://joblib.readthedocs.io/en/stable/",
        "generated/{name}.html#{name}",
        {"py:class": "joblib.Parallel joblib.parallel_config"},
    ),
    "matplotlib": (
        "https://matplotlib.org/stable/",
        "api/_as_gen/{name}.html#{name}",
        {
            "py:method": """
            matplotlib.axes.Axes.bar
            matplotlib.axes.Axes.contourf
            matplotlib.axes.Axes.errorbar
            matplotlib.axes.Axes.plot
            """
        },
    ),
    "pandas": (
        "https://pandas.pydata.org/docs/",
        "reference/api/{name}.html#{name}",
        {"py:class": "pandas.DataFrame"},
    ),
}
HEAD = "# Sphinx inventory version 2\n# Project: {}\n# Version:\n# zlib-compressed.\n"


def write(folder):
    """Write the inventories into a folder; the mapping that intersphinx takes."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for project, (address, page, roles) in PROJECTS.items():
        path = folder / f"{project}.inv"
        path.write_bytes(_inventory(project, page, roles))
        mapping[project] = (address, str(path))
    return mapping


def full_names():
    """From the last part of every name to the name, so that ``GridSearchCV`` is found."""
    texts = [text for *_, roles in PROJECTS.values() for text in roles.values()]
    return {name.rsplit(".", 1)[-1]: name for text in texts for name in text.split()}


def _inventory(project, page, roles):
    lines = [
        f"{name} {role} 1 {page.format(name=name)} -\n"
        for role, text in roles.items()
        for name in text.split()
    ]
    return HEAD.format(project).encode() + zlib.compress("".join(lines).encode())

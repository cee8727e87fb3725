"""What ``same_numbers.py`` computes: names, and functions without arguments."""

import inspect
import re
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from _small_fits import CLASSES, MATRIX, MEASURED, PLACES, TASKS, WEIGHT, X, fitted, network
from matplotlib import pyplot

import skflat
from skflat import (
    FlatnessMonitor,
    datasets,
    displays,
    experiments,
    measures,
    solvers,
    symmetry,
    theory,
)
from skflat import vocabularies as stack

OUTPUTS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform")
#: Set where a measure has such a parameter, to save time. Functions and reports take the defaults.
FEW = {"n_draws": 10, "n_burn": 5, "n_chains": 2, "n_steps": 20, "n_probes": 4, "distance": 0.1}
#: Other parameters of measures than the defaults, and on what they are tried.
OPTIONS = {
    "adaptive_sharpness": [{"average": True}],
    "dominant_subspace": [{"k": 2}],
    "effective_rank": [{"features": "logits", "normalize": True}],
    "flatness": [{"norm": norm, "level": 0.05} for norm in ("block", "weight")],
    "hessian_eigenvalues": [{"which": "smallest"}, {"which": "both", "k": 4}],
    "local_energy": [{"noise": each} for each in ("block", "isotropic", "sphere")],
    "local_volume": [{"cost": "loss", "preconditioner": None}, {"prior": "uniform"}],
    "margins": [{"normalization": each} for each in ("row", "layers", None)],
    "maximal_variation": [{"norm": "block", "radius": [0.1, 0.5]}, {"rise_only": True}],
    "noise_stability": [{"noise": "sphere", "antithetic": False}],
    "pac_bayes_bound": [{"scale": 0.1}],
    "relative_flatness": [{"normalize": True}],
    "sharpness": [{"n_products": 20}],
    "weakness": [
        {"target": "labels"},
        {"vocabulary": "region-class"},
        {"features": "logits"},
        {"count": "statements", "n_probes": 3, "features": "hidden"},
        {"tolerance": 0.3},
    ],
}
BINARY_OPTIONS = {
    "flatness": [{"level": 0.2}],
    "local_entropy": [{"method": each} for each in ("exact", "sample", "bethe")],
    "sharpness": [{"distance": [0.05, 0.2]}],
}
CHOSEN = ("classes", "two classes", "two outputs", "wide", "pairs", "corners, bits")


@dataclass
class Refusal:
    """An error in the place of a result."""

    error: str
    message: str


def attempt(function, *args, **params):
    """The result, or the error that says why there is none."""
    try:
        return function(*args, **params)
    except Exception as error:
        return Refusal(type(error).__name__, lasting(str(error)))


def lasting(message):
    """A message without addresses, paths of modules, and the order in which a set is listed."""
    message = re.sub(r" at 0x\w+|\bskflat\.([\w.]+\.)?(?=\w)", "", message)
    return re.sub(r"{(.*?)}", lambda found: str(sorted(found[1].split(", "))), message)


def cases():
    """Pairs of a name and a function; no two names are the same."""
    yield from fits()
    yield from measurements("", measures.MEASURES, OPTIONS)
    yield from measurements("binary ", measures.BINARY_MEASURES, BINARY_OPTIONS)
    yield from functions_of_estimators()
    yield from minimisations()
    yield from pictures()
    yield from calls()
    yield from ((f"several: {name}", compute) for name, compute in SEVERAL.items())


def fits():
    for kinds, choices in TASKS:
        for name, solver in product(kinds, choices):
            yield f"fit: {name}; {solver}", partial(fit_and_predict, name, solver)


def fit_and_predict(name, solver):
    estimator, data = fitted(name, solver)
    known = [each for each in OUTPUTS if hasattr(estimator, each)]
    outputs = {each: attempt(getattr(estimator, each), data[0]) for each in known}
    score = attempt(estimator.score, *data) if hasattr(estimator, "score") else None
    return {"fitted": estimator, "score": score, **outputs}


def told(params):
    return f" {params}" if params else ""


def measurements(kind, registry, options):
    for name, on in product(registry, MEASURED):
        few = {key: FEW[key] for key in registry[name]().get_params() if key in FEW}
        for params in [{}, *(options.get(name, []) if on in CHOSEN else [])]:
            compute = partial(measured, registry[name](**few | params), on)
            yield f"measure: {kind}{name}{told(params)}; {on}", compute


def measured(measure, on):
    return measure.measure(*of(on))


def of(name):
    """What measures take: estimator, rows and targets. A matrix is both rows and targets."""
    estimator, data = fitted(name)
    return estimator, *(*data, None)[:2]


def functions_of_estimators():
    for name in measures.__all__:
        function = getattr(measures, name)
        if inspect.isfunction(function) and "estimator" in inspect.signature(function).parameters:
            for on in ("classes", "regression", "pairs", "corners, classes"):
                yield f"function: {name}; {on}", partial(of_weighted_rows, function, on)


def of_weighted_rows(function, on):
    estimator, rows, targets = of(on)
    return function(estimator, rows, targets, np.resize(WEIGHT, len(targets)))


class Seen(measures.Measure):
    """Keeps the problem that measures see, for what asks for one."""

    def _evaluate(self, problem):
        self.problem_ = problem
        return measures.Measurement(0.0, 0.0, "exact", 0, True, np.array([]), {})


def problem_of(on):
    seen = Seen()
    measured(seen, on)
    return seen.problem_


def minimisations():
    """Every solver without an estimator."""
    for name, rule in solvers.SOLVERS.items():
        yield f"minimize: {name}", partial(minimised, rule())


def minimised(rule):
    problem = problem_of("classes")
    settings = solvers.Settings(rho=0.1, learning_rate_init=0.02, batch_size=16, max_iter=4)
    w, run = solvers.minimize(rule, problem.objective, problem.w, settings)
    return w, run.work.rows, run.history


def pictures():
    options = {"LandscapeDisplay": [{}, {"directions": "eigen", "n_directions": 2, "n_points": 5}]}
    for name in displays.__all__:
        make = getattr(getattr(displays, name), "from_estimator", None)
        for on, params in product(CHOSEN, options.get(name, [{}]) if make else []):
            yield f"display: {name}{told(params)}; {on}", partial(picture, make, on, params)


def picture(make, on, params):
    return drawn(make(*of(on), **params))


def drawn(display):
    """The arrays of a display, and those of its lines."""
    lines = [np.asarray(line.get_xydata()) for line in display.ax_.lines]
    pyplot.close("all")
    return {key: each for key, each in vars(display).items() if not key.endswith("_")}, lines


# --- experiments of several fits, and what else is no single call ---


def side_by_side():
    names, rhos = ["adam", "sam", "lbfgs"], {"sam": [0.05, 0.5]}
    short = {"budget": 6, "n_seeds": 2, "measures": ["sharpness"]}
    found = experiments.compare_solvers(network(), X, CLASSES, names, rhos=rhos, **short)
    display = displays.SolverComparisonDisplay.from_comparison(found)
    return found.runs, found.summary(), drawn(display)


def emergence():
    growing = network(solver="lbfgs", max_iter=100, measures=None)
    unseen = {"X_test": X[:9], "y_test": CLASSES[:9]}
    short = {"n_seeds": 3, "measure": measures.LocalEnergy(scale=0.5, n_draws=5), "level": 0.2}
    found = experiments.emergence(growing, X, CLASSES, [1, 2, 4, 8, 16], **unseen, **short)
    again = experiments.Emergence(found.runs, fraction=0.3)
    display = displays.EmergenceDisplay.from_emergence(found)
    return found.runs, found.thresholds(), again.thresholds(), drawn(display)


def compared():
    networks = {"sam": fitted("classes")[0], "adam": fitted("classes", "adam")[0]}
    found = measures.compare(networks, X, CLASSES, max_samples=25)
    return found, found.to_frame(), found["sam"].to_frame()


def monitored():
    monitor = FlatnessMonitor(every=2)
    network().set_callbacks(monitor).fit(X, CLASSES)
    return monitor.table()


def between():
    there = fitted("classes", "adam")[0]
    return drawn(displays.LandscapeDisplay.from_estimator(*of("classes"), to=there))


def rows_not_seen():
    """Identifiers and rows of a matrix that were not there in the fit."""
    matrix, rows = fitted("matrix")[0], 2 * MATRIX[:4]
    filled = [fitted(name)[0].transform(rows) for name in ("imputer", "imputer, indicator")]
    completed = matrix.inverse_transform(matrix.transform(rows))
    return fitted("pairs")[0].predict(PLACES + 4), completed, filled


def eigenpairs():
    product = measures.HessianProduct(problem_of("wide"))
    return measures.eigenpairs(product, 3, "both", 1e-6, None, np.random.default_rng(0))


def statements():
    vocabulary = stack.Vocabulary([[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1], [1, 0, 1, 0]])
    task = stack.Task(vocabulary, inputs=[{0}], outputs=[{0, 2}])
    return task.policies(), task.weakest(), task.shortest(), vocabulary.abstract([0]).programs


SEVERAL = {
    "compare_solvers": side_by_side,
    "emergence": emergence,
    "compare": compared,
    "FlatnessMonitor": monitored,
    "landscape between": between,
    "rows not seen": rows_not_seen,
    "eigenpairs": eigenpairs,
    "probes": lambda: measures.weakness(*of("regression"), X_probe=X[:5] / 2),
    "decisions": lambda: measures.Weakness(4).decisions(*of("wide")),
    "extension_size": lambda: measures.extension_size(measures.open_pairs(**PAIRS)),
    "rescale": lambda: symmetry.rescale(fitted("two layers")[0], [2.0, np.array([1.0, 2, 3])]),
    "statements": statements,
    "enumerate_solutions": lambda: theory.enumerate_solutions(*STORED).n_at_distance(),
}

# --- calls of functions, by their modules and arguments ---

LEFT, RIGHT = np.random.default_rng(0).normal(size=(2, 6, 3))
FACTORS = {"X": LEFT, "Y": RIGHT[:5]}
STORED = datasets.make_perceptron_storage(11, alpha=0.5, random_state=0)
PAIRS = {"features": X[:, :2], "labels": (X[:, 0] > 0) + 1 * (X[:, 0] > 1), "probes": X[:5, 1:3]}
DRAWN = {"X": X, "y": CLASSES, "sample_weight": WEIGHT, "max_samples": 17, "random_state": 0}
SEED = {"random_state": 0}
ARGUMENTS = {
    datasets: {
        "make_perceptron_storage": [SEED, SEED | {"patterns": "normal", "dtype": np.float32}],
        "make_random_features": [SEED, SEED | {"n_features": 31, "weights": "spherical"}],
        "make_teacher_student": [SEED, SEED | {"weights": "spherical", "patterns": "normal"}],
    },
    experiments: {"standard_error": [{"values": WEIGHT}]},
    measures: {
        "check_measures": [{"measures": list(measures.MEASURES)}],
        "open_pairs": [PAIRS],
        "sample_rows": [DRAWN],
    },
    stack: {
        "completions": [{"statement": "b", "language": ["ab", "bc", "cd"]}],
        "divergence": [{"weakness": 25, "n_statements": 100}],
        "survival": [{"n_open": 12, "n_unseen": 20, "n_demands": 3}],
    },
    symmetry: {
        "balance": [FACTORS, FACTORS | {"row_weight": np.arange(6.0), "column_weight": WEIGHT[:5]}],
        "balancing_flow": [FACTORS | {"n_steps": 5, "row_scale": 2.0}],
        "conserved": [FACTORS],
    },
    theory: {
        "amp_threshold": [{}],
        "capacity": [{}, {"margin": 0.2}, {"machine": "spherical"}],
        "clone_entropy": [{"alpha": 0.5, "overlap": [0.9], "n_clones": 2}],
        "clone_threshold": [{"n_clones": 3}, {"n_clones": 3, "task": "teacher_student"}],
        "flat_minima_threshold": [{}],
        "franz_parisi": [{"alpha": 0.5, "distance": [0.05, 0.2], "reference_margin": 0.1}],
        "hamming_entropy": [{"distance": [0.1, 0.5]}],
        "max_margin": [{"alpha": 0.5}, {"alpha": 0.5, "machine": "spherical"}],
        "recovery_threshold": [{}],
        "student_clone_entropy": [{"size": 0.93, "alpha_t": 3, "overlap": [0.9], "n_clones": 4}],
        "student_clone_threshold": [{"alpha_t": 3, "n_clones": 4}],
        "student_interpolation": [{"alpha_t": 3}],
        "student_max_margin": [{"size": 1.5, "alpha_t": 3}],
        "student_solutions": [{"size": 1.5, "alpha_t": 3}],
        "teacher_student": [{"alpha": 1.0}, {"alpha": 1.3, "branch": "metastable"}],
        "typical_local_energy": [{"flips": [0, 0.02, 0.5], "alpha": 0.5}],
        "typical_solutions": [{"alpha": 0.5}],
        "typical_stabilities": [{"stability": [-0.1, 0.1], "alpha": 0.5}],
    },
}


def calls():
    for module, functions in ARGUMENTS.items():
        for name, several in functions.items():
            for number, params in enumerate(several, 1):
                yield f"call: {name}, {number}", partial(getattr(module, name), **params)


def without_case():
    """Public estimators and functions that no case is about."""
    words = {word for name, _ in cases() for word in re.findall(r"\w+", name)}
    words |= {type(task.estimator).__name__ for kinds, _ in TASKS for task in kinds.values()}
    for module in (skflat, *ARGUMENTS):
        public = {name: getattr(module, name) for name in module.__all__}
        known = inspect.isclass if module is skflat else inspect.isfunction
        yield from (name for name, each in public.items() if known(each) and name not in words)

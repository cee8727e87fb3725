"""Which measure predicts the test accuracy: a thousand networks on each of four sets.

python benchmarks/arbiter.py [--data DIR] [--sets mnist letter ...] [--preset small] [--report]

Every setting of a grid (learning rate, batch size, width, depth, radius of SAM, penalty, share of
wrong labels) is trained to the same training loss from several starts, on few rows of MNIST,
Fashion-MNIST, letter and adult. Of every network come the affordable measures of the registry, raw
and, where a symmetry gives it, at the flattest point of the orbit. The report has, for every set
and measure: Kendall's tau with its 95 % bootstrap interval, the granulated coefficient, conditional
mutual information, and sign errors over environments (arXiv:1912.02178, arXiv:2010.11924); and the
same for networks with right labels only.

Every network goes to a CSV file here as soon as it is measured, and what is there is not trained
again. Seeds are the outer loop, so an interrupted run has whole grids. The full preset has 1,152
networks a set and takes an hour of one core for all sets; --preset small has 48 on two sets, in
files of its own under results/, and takes two minutes. What the tables say is in
arbiter.md.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # the picture goes to a file

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from _study_data import rows_of

from skflat import FlatMLPClassifier
from skflat.displays import GeneralizationDisplay
from skflat.experiments import GeneralizationStudy, predicts_generalization
from skflat.measures import (
    EffectiveRank,
    FisherRaoNorm,
    GradientNoise,
    HessianEigenvalues,
    HessianTrace,
    LevelSetDistance,
    LiveUnits,
    LocalEnergy,
    MagnitudeSharpness,
    MaximalVariation,
    NoiseStability,
    NormalizedMargin,
    OrbitTrace,
    PacBayesBound,
    PathNorm,
    RelativeFlatness,
    SoftRank,
    SpectralNorms,
    TakeuchiCriterion,
    Weakness,
    orbit_minimal,
)
from skflat.solvers import SAM

HERE = Path(__file__).resolve().parent
#: Training rows of every set. Few, so that networks of one training loss differ on unseen rows.
N_ROWS = {"mnist": 300, "fashion_mnist": 300, "letter": 300, "adult": 300}
#: Training loss at which training ends, with wrong labels, too. One that small networks reach.
UNTIL = {"mnist": 0.2, "fashion_mnist": 0.3, "letter": 0.5, "adult": 0.3}
MAX_EPOCHS, N_PROBES = 150, 20
#: Units of the last hidden layer. With many, every outcome stays open, and weakness is 1.
N_LAST = 8
GRID = {
    "learning_rate_init": [0.01, 0.02, 0.04],
    "batch_size": [16, 64],
    "width": [32, 96],
    "depth": [1, 2],
    "rho": [0.0, 0.1],
    "alpha": [1e-4, 0.1],
    "label_noise": [0.0, 0.2],
}
SMALL_GRID = {
    "learning_rate_init": [0.01, 0.04],
    "batch_size": [16, 64],
    "width": [32],
    "depth": [1, 2],
    "label_noise": [0.0, 0.2],
}
#: Sets, seeds and grid of each preset.
PRESETS = {
    "full": (list(N_ROWS), 6, GRID),
    "small": (["mnist", "letter"], 3, SMALL_GRID),
}


class Network(FlatMLPClassifier):
    """A network whose width and depth are axes of a grid, with a narrow last hidden layer."""

    def __init__(
        self,
        width=32,
        depth=1,
        *,
        solver="sam",
        rho=0.0,
        learning_rate_init=0.01,
        batch_size=32,
        alpha=1e-4,
        max_iter=MAX_EPOCHS,
        measures=None,
        random_state=None,
    ):
        self.width, self.depth = width, depth
        super().__init__(
            solver=solver,
            rho=rho,
            learning_rate_init=learning_rate_init,
            batch_size=batch_size,
            alpha=alpha,
            max_iter=max_iter,
            measures=measures,
            random_state=random_state,
        )

    @property
    def hidden_layer_sizes(self):
        """From width and depth, whatever the base class sets."""
        return (self.width,) * self.depth + (N_LAST,)

    @hidden_layer_sizes.setter
    def hidden_layer_sizes(self, sizes):
        pass


def weight_norm(network, X, y):
    """Minus the Euclidean norm of all parameters: the simplest rival."""
    arrays = network.coefs_ + network.intercepts_
    return -float(np.sqrt(sum(np.sum(array.astype(float) ** 2) for array in arrays)))


MEASURES = {
    "trace": HessianTrace(),
    "trace, orbit": OrbitTrace(),
    "largest eigenvalue": HessianEigenvalues(),
    "largest eigenvalue, orbit": orbit_minimal(HessianEigenvalues()),
    "level set distance": LevelSetDistance(),
    "maximal variation": MaximalVariation(n_starts=1, n_refined=1, max_iter=10),
    "gradient noise": GradientNoise(),
    "gradient noise, orbit": orbit_minimal(GradientNoise()),
    "relative flatness": RelativeFlatness(),
    "soft rank": SoftRank(n_probes=3, n_steps=20),
    "Takeuchi criterion": TakeuchiCriterion(n_probes=3, n_steps=20),
    "magnitude sharpness": MagnitudeSharpness(n_draws=4),
    "PAC-Bayes bound": PacBayesBound(n_draws=2),
    "noise stability, by weight": NoiseStability(n_draws=4),
    "local energy, by weight": LocalEnergy(n_draws=4),
    "local energy, isotropic": LocalEnergy(scale=0.05, noise="isotropic", n_draws=4),
    "weight norm": weight_norm,
    "path norm": PathNorm(),
    "spectral norms": SpectralNorms(),
    "Fisher-Rao norm": FisherRaoNorm("data"),
    "Fisher-Rao norm, model": FisherRaoNorm("model"),
    "effective rank": EffectiveRank(),
    "live units": LiveUnits(),
    "normalized margin": NormalizedMargin(),
    "weakness": Weakness(),
    "weakness, unseen probes": None,  # which are those of the set
}
#: What training tells without any measure; fewer epochs and a lower loss promise more.
RIVALS = {"epochs": -1, "train_loss": -1}


def drawn(name, folder):
    """Training rows, probes and test rows; of letter the first ten classes only."""
    parts = rows_of(name, folder, 0.0, 0)
    return [(X[y < 10], y[y < 10]) for X, y in parts]


def checkpoint(name, preset):
    """The file of a set."""
    folder = HERE if preset == "full" else HERE.parent / "results"
    folder.mkdir(exist_ok=True)
    return folder / f"arbiter.{name}.csv"


def study_of(name, n_seeds, args):
    """Train and measure what the file does not hold yet."""
    train, probes, test = drawn(name, args.data)
    few, unseen = slice(N_ROWS[name]), probes[0][:N_PROBES]
    return predicts_generalization(
        Network(solver=SAM(base="sgd")),
        *(part[few] for part in train),
        *test,
        PRESETS[args.preset][2],
        MEASURES | {"weakness, unseen probes": Weakness(X_probe=unseen)},
        n_seeds=n_seeds,
        until=UNTIL[name],
        n_jobs=args.jobs,
        checkpoint=checkpoint(name, args.preset),
        progress=True,
    )


def read(name, preset):
    """The study of a set from its file, with the rivals; None if there is no file."""
    path = checkpoint(name, preset)
    if not path.exists():
        return None
    frame = pd.read_csv(path, comment="#")
    axes = [each for each in PRESETS[preset][2] if frame[each].nunique() > 1]
    signs = {key: getattr(each, "sign", 1) for key, each in MEASURES.items()}
    return GeneralizationStudy(frame.to_dict("records"), axes, signs | RIVALS)


def report(name, study):
    """The tables of one set."""
    frame = study.to_frame()
    fitted = frame[frame["fitted"] == 1]
    by_noise = fitted.groupby("label_noise")["score"].agg(["mean", "std", "count"])
    print(f"\n{name}: {len(frame)} networks, {len(fitted)} of them fitted")
    print(by_noise.to_string(float_format="%.4f"))
    for title, part in (("all", study), ("right labels only", study.where(label_noise=0.0))):
        table = part.summary(given=["normalized margin", "effective rank"])
        print(f"\n{name}, {title}")
        print(table.sort_values("tau", ascending=False).to_string(float_format="%.3f"))
    print(f"\n{name}, along every axis")
    print(study.granulated().to_string(float_format="%.2f"))


def overview(title, studies):
    """One line for each measure: tau with its interval, and the granulated coefficient."""
    tables = {name: study.summary() for name, study in studies.items()}
    print(f"\n{title}\n")
    print("| measure | " + " | ".join(tables) + " |\n" + "|---" * (len(tables) + 1) + "|")
    order = sum(table["tau"].fillna(0) for table in tables.values()).sort_values(ascending=False)
    for measure in order.index:
        cells = [cell(table.loc[measure]) for table in tables.values()]
        print(f"| {measure} | " + " | ".join(cells) + " |")


def cell(row):
    return "{tau:+.2f} [{tau_low:+.2f}, {tau_high:+.2f}], {granulated:+.2f}".format(**row)


def draw(studies, preset):
    """Tau and the granulated coefficient of every set, side by side."""
    fig, axes = plt.subplots(
        1, len(studies), figsize=(6 * len(studies), 7), squeeze=False, layout="constrained"
    )
    for ax, (name, study) in zip(axes[0], studies.items(), strict=True):
        GeneralizationDisplay.from_study(study, ax=ax)
        ax.set_title(f"{name}, {len(study.runs)} networks")
        ax.set_xlim(-1, 1)
    folder = HERE if preset == "full" else HERE.parent / "results"
    fig.savefig(folder / "arbiter.png", dpi=70)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", metavar="DIR", help="folder with the .npz files")
    parser.add_argument("--sets", nargs="+", choices=list(N_ROWS))
    parser.add_argument("--preset", default="full", choices=list(PRESETS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="train nothing more")
    args = parser.parse_args()
    names, n_seeds, _ = PRESETS[args.preset]
    names = args.sets or names
    for seeds in range(1, 1 + (0 if args.report else n_seeds)):  # so that all sets grow together
        for name in names:
            print(f"{name}, {seeds} of {n_seeds} seeds", flush=True)
            study_of(name, seeds, args)
    studies = {name: read(name, args.preset) for name in names}
    studies = {name: study for name, study in studies.items() if study is not None}
    for name, study in studies.items():
        report(name, study)
    overview("All networks", studies)
    right = {name: study.where(label_noise=0.0) for name, study in studies.items()}
    overview("Right labels only", right)
    draw(studies, args.preset)


if __name__ == "__main__":
    main()

"""The input of a solver in one call of ``fit``, and the record that it returns."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .._callbacks import NoHooks
from ..objective import Objective, Workspace
from ._settings import Settings


@dataclass
class History:
    """The record of a training run. Warm starts and partial fits continue it.

    Attributes
    ----------
    loss_curve : list of float
        Mean loss of every epoch.
    validation_losses, validation_scores : list of float
        Loss and score on the validation rows after every epoch, where there are any.
    last_loss : float
        Loss of the last epoch. If a method had nothing to do, it is the loss at the start.
    best_loss : float
    best_score : float
    best_w : ndarray or None
        The parameters with the best validation score. They are kept only with early stopping.
    n_no_improvement : int
        Epochs since the last one that improved by ``tol``.
    n_rows_seen : int
        Training rows passed over. The estimator's ``t_``.
    """

    loss_curve: list = field(default_factory=list)
    validation_losses: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    last_loss: float = np.nan
    best_loss: float = np.inf
    best_score: float = -np.inf
    best_w: np.ndarray | None = None
    n_no_improvement: int = 0
    n_rows_seen: int = 0

    def add(self, loss, validation, w, settings):
        """Record an epoch: its loss, and (score, loss) on the validation rows or None.

        Parameters
        ----------
        loss : float
        validation : tuple of two float, or None
        w : ndarray of shape (n_parameters,)
        settings : Settings
        """
        self.loss_curve.append(loss)
        self.last_loss = loss
        if validation is not None:
            self.validation_scores.append(validation[0])
            self.validation_losses.append(validation[1])
        # Both comparisons, and the order of count and update, are those of scikit-learn's MLP. A
        # fit then stops at the same epoch.
        if settings.early_stopping:
            self._count(validation[0] < self.best_score + settings.tol)
            if validation[0] > self.best_score:
                self.best_score, self.best_w = validation[0], w.copy()
        else:
            self._count(loss > self.best_loss - settings.tol)
            self.best_loss = min(self.best_loss, loss)

    def forget_best(self):
        """Discard the best loss, score and parameters, because the parameters were replaced."""
        self.best_loss, self.best_score, self.best_w = np.inf, -np.inf, None
        self.n_no_improvement = 0

    def _count(self, no_better):
        self.n_no_improvement = self.n_no_improvement + 1 if no_better else 0


@dataclass
class Run:
    """One call of ``fit``, as its solver sees it.

    Attributes
    ----------
    objective : Objective
        The training objective, with the loss values that are reported.
    settings : Settings
    random_state : numpy.random.RandomState
        Draws the order of the batches, and nothing else.
    history : History
    validate : callable or None
        ``w -> (score, loss)`` on the validation rows.
    hooks : EpochHooks
    between : callable or None
        ``(w, n_epochs) -> w`` of the same function, or None for the same point: a move of the
        parameters between two epochs.
    max_epochs : int or None
        Fewer epochs than ``settings.max_iter``: 1 in ``partial_fit``.
    order : ndarray or None
        The order of the rows in the last epoch, from which the next one is drawn.
    work : Workspace
        Scratch memory, and the number of rows differentiated.
    n_iter : int
        Epochs, or iterations of a method, run so far.
    diverged : bool
        Whether the loss or the parameters are no longer finite.
    interrupted : bool
        Whether the user stopped it, by a key or by a callback.
    settled : bool
        Whether it stopped since nothing improved any longer.
    """

    objective: Objective
    settings: Settings
    random_state: np.random.RandomState
    history: History = field(default_factory=History)
    validate: Callable | None = None
    hooks: object = field(default_factory=NoHooks)
    between: Callable | None = None
    max_epochs: int | None = None
    order: np.ndarray | None = None
    work: Workspace = field(default_factory=Workspace)
    n_iter: int = 0
    diverged: bool = False
    interrupted: bool = False
    settled: bool = False

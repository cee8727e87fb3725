"""Eight trials: of one knob, or of two, the second at the best value of the first."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Method:
    """What is trained, eight times.

    Attributes
    ----------
    knobs : list of list of dict
        The trials of the first knob, each as parameters of the network, then those of the second.
        A trial of the second goes on from the best of the first. Eight in all.
    gradients : float
        What a pass over the rows costs, in gradients: passes are as many as the budget pays for.
    group : {'baseline', 'flat', 'joint', 'yardstick'}
    fixed : dict
        Parameters that are the same in every trial.
    """

    knobs: list
    gradients: float
    group: str
    fixed: dict = field(default_factory=dict)

    def __post_init__(self):
        assert sum(map(len, self.knobs)) == 8


def search(knobs, scores):
    """The trials in order, each with its ``(validation, test)`` score; and the best one.

    Parameters
    ----------
    knobs : list of list of dict
    scores : callable
        The two scores of a trial.
    """
    tried, best = [], {}
    for knob in knobs:
        start = best
        for values in knob:
            trial = start | values
            tried.append((trial, scores(trial)))
        # The first of equals: it has the smaller penalty or radius.
        best = max(tried, key=lambda pair: pair[1][0])[0]
    return tried, best

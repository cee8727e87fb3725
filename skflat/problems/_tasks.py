"""The tasks: the meaning of the outputs of a fitted estimator."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LearningTask:
    """What the raw outputs of a model mean.

    Attributes
    ----------
    name : str
        For messages.
    has_classes : bool, default=True
        Whether the target is one class a row, or some labels.
    greatest_wins : bool, default=False
        Whether the outputs are scores of classes, of which the greatest is the answer, so that
        only their differences count.
    """

    name: str
    has_classes: bool = True
    greatest_wins: bool = False

    def __str__(self):
        return self.name

    def centred(self, F):
        """The scores ``F`` without what is common to a row, where only differences count."""
        return F - F.mean(axis=1, keepdims=True) if self.greatest_wins else F


#: One of three classes or more, by one output each.
MULTICLASS = LearningTask("multiclass", greatest_wins=True)
#: One of two classes, by the sign of one output.
BINARY = LearningTask("binary")
#: Several labels, each by the sign of one output.
MULTILABEL = LearningTask("multilabel")
#: Numbers.
REGRESSION = LearningTask("regression", has_classes=False)
#: Entries of a matrix, which the inputs name.
COMPLETION = LearningTask("completion", has_classes=False)

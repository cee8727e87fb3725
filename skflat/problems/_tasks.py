"""The tasks: the meaning of the outputs of a fitted estimator."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LearningTask:
    """The meaning of the raw outputs of a model.

    Attributes
    ----------
    name : str
        Name of the task in messages.
    has_classes : bool, default=True
        Whether the target of a row is a class or several labels.
    greatest_wins : bool, default=False
        Whether the outputs are scores of classes and the greatest score gives the answer. Then only
        differences of scores matter.
    """

    name: str
    has_classes: bool = True
    greatest_wins: bool = False

    def __str__(self):
        return self.name

    def centred(self, F):
        """The scores ``F`` minus the mean of each row, if only their differences matter."""
        return F - F.mean(axis=1, keepdims=True) if self.greatest_wins else F


#: One of three classes or more, with one output for each class.
MULTICLASS = LearningTask("multiclass", greatest_wins=True)
#: One of two classes, given by the sign of one output.
BINARY = LearningTask("binary")
#: Several labels, each given by the sign of one output.
MULTILABEL = LearningTask("multilabel")
#: Numbers.
REGRESSION = LearningTask("regression", has_classes=False)
#: Entries of a matrix. The inputs identify the entries.
COMPLETION = LearningTask("completion", has_classes=False)

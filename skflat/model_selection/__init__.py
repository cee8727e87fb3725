"""Which setting of a search to take; splitters and scorers of recommendations.

It imports nothing of the package. The scorers call ``estimator.recommend``.
"""

from ._leave_out import LeaveKOut, LeaveLastOut
from ._one_se import flattest_within_one_se
from ._ranking import RANKING_MEASURES, RankingScorer, ranking_report

__all__ = [
    "RANKING_MEASURES",
    "LeaveKOut",
    "LeaveLastOut",
    "RankingScorer",
    "flattest_within_one_se",
    "ranking_report",
]

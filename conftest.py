"""What the examples in the docstrings need."""

from skflat._callbacks import HAS_CALLBACKS

collect_ignore = [] if HAS_CALLBACKS else ["skflat/measures/_monitor.py"]

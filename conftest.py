"""What the examples in the docstrings need."""

from skflat._callbacks import HAS_CALLBACKS


def pytest_collection_modifyitems(items):
    """Leave out the examples of monitors where scikit-learn has no callbacks (below 1.9)."""
    if not HAS_CALLBACKS:
        items[:] = [item for item in items if not _is_example_of_a_monitor(item)]


def _is_example_of_a_monitor(item):
    return hasattr(item, "dtest") and item.name.endswith("Monitor")

"""Settings of all tests."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread():
    """The matrices here are small: threads only get in each other's way, most of all in CI."""
    with threadpool_limits(1):
        yield

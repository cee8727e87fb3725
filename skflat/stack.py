"""The former name of `skflat.vocabularies`."""

from .vocabularies import *  # noqa: F403
from .vocabularies import __all__  # noqa: F401

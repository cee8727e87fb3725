"""The former name of `skflat.vocabularies`."""

from .vocabularies import Task, Vocabulary, completions, divergence, survival

__all__ = ["Task", "Vocabulary", "completions", "divergence", "survival"]

"""What a model computes from one flat parameter vector."""

__all__ = []

"""The models: functions of one flat parameter vector."""

__all__ = []

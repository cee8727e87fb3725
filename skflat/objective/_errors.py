"""What a model or a loss answers where a question makes no sense for it."""


class NotDefinedError(TypeError):
    """The quantity does not exist here: margins of a regression, say."""

"""pandas, which only tables of results need."""


def pandas_for(what):
    """The module pandas, or an error that names the extra.

    Whoever returns a table after long work calls this first.

    Parameters
    ----------
    what : str
        What needs it.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"{what} needs pandas: pip install 'skflat[pandas]'.") from error
    return pandas

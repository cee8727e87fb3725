"""The validation rows that a user gives to a fit."""


def one_validation_set(validation_data, X_val, y_val):
    """The pair of validation inputs and targets, or None. It can be given in two ways.

    A tuple of one element stands for the element. Meta-estimators slice every argument that has as
    many rows as ``X``, but they do not slice a tuple. A Pipeline transforms the elements of a
    tuple.
    """
    if validation_data is not None:
        if X_val is not None or y_val is not None:
            raise ValueError("Give validation_data or X_val and y_val, not both.")
        if not (isinstance(validation_data, (tuple, list)) and len(validation_data) == 2):
            raise ValueError(
                "validation_data must be a pair (X_val, y_val), got "
                f"{type(validation_data).__name__}."
            )
        return tuple(validation_data)
    if X_val is None and y_val is None:
        return None
    if X_val is None or y_val is None:
        given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ValueError(f"{given} is provided, but {missing} was not provided.")
    pair = (X_val, y_val)
    return tuple(part[0] if isinstance(part, tuple) else part for part in pair)

"""The lines of a checkpoint: what they say, and what is wrong with those that are damaged."""

import csv
import io
import json
import math
import re
from dataclasses import dataclass


@dataclass
class Format:
    """The columns of a file of rows, and its first line if it has one before their names.

    Parameters
    ----------
    name : str
        Of the file, for errors.
    columns : list of str
    kind : str or None
        What the file is of. None is a file whose first line names the columns.
    settings : dict of str to str
        Fingerprints of what the rows were made with.
    numbers : bool
        Whether every value is a number.
    """

    name: str
    columns: list
    kind: str | None
    settings: dict
    numbers: bool

    @property
    def mark(self):
        """How the first line begins."""
        return f"# skflat {self.kind} " if self.kind else ""

    def heading(self):
        """The text before the first row."""
        first = f"{self.mark}{json.dumps(self.settings)}\n" if self.kind else ""
        return first + as_line(self.columns)

    def parse(self, content):
        """The rows of a file, None for a damaged line between them, and the damage by line.

        A last line without an end was cut off by an interruption: it is no row, and no damage.

        Raises
        ------
        ValueError
            If the file is of another kind, or of other settings or columns.
        """
        *lines, cut_off = content.split(b"\n")
        rows, damage = [], {}
        place = 1
        if self.kind:
            damage |= self._check_first(lines[0] if lines else cut_off)
            place = 2
        if len(lines) < place:
            damage.setdefault(place, "the names of the columns are cut off")
        for number, line in enumerate(lines[place - 1 :], place):
            try:
                row = self._row(line, may_name=number == place)
            except (csv.Error, DamageError, UnicodeDecodeError) as error:
                row, damage[number] = None, str(error)
            rows += [] if row == {} else [row]
        untrusted = "none of its rows can be trusted" in damage.get(1, "")
        return ([] if untrusted else [*rows, *([None] if cut_off else [])]), damage

    def _check_first(self, line):
        """The damage of the line of the settings; an error if they are others."""
        text = line.decode(errors="replace")
        if not (text.startswith(self.mark) or self.mark.startswith(text)):
            article = "an" if self.kind[0] in "aeiou" else "a"
            raise ValueError(f"checkpoint {self.name!r} is not a file of {article} {self.kind}.")
        text = text.removeprefix(self.mark)
        try:
            written, whole = json.loads(text), True
        except ValueError:
            written, whole = dict(re.findall(r'"(\w+)": "(\w+)"', text)), False
        legible = self.settings if whole else set(written) & set(self.settings)
        others = [each for each in legible if written.get(each) != self.settings[each]]
        if others:
            raise ValueError(
                f"checkpoint {self.name!r} was written with other settings: "
                f"{', '.join(others)}. Choose another file, or delete this one."
            )
        if whole:
            return {}
        lost = [each for each in self.settings if each not in written]
        unsure = f": {', '.join(lost)}, so none of its rows can be trusted" if lost else ""
        return {1: f"its settings are damaged{unsure}"}

    def _row(self, line, may_name):
        """The values by column; empty for a blank line and the names of the columns."""
        if b"\0" in line:
            raise DamageError("it holds NUL bytes")
        cells = next(csv.reader([line.decode().removesuffix("\r")]), [])
        if not cells or cells == self.columns:
            return {}
        if may_name:
            self._check_names(cells)
        if len(cells) != len(self.columns):
            raise DamageError(f"it has {len(cells)} values for {len(self.columns)} columns")
        values = [_value(cell) for cell in cells]
        texts = [each for each in values if isinstance(each, str)]
        if texts and self.numbers:
            raise DamageError(f"{texts[0][:20]!r} is no number")
        return dict(zip(self.columns, values, strict=True))

    def _check_names(self, cells):
        """Refuse other columns. Where the settings are the same, other names are damage."""
        if sorted(cells) == sorted(self.columns) or not self.kind:
            raise ValueError(
                f"checkpoint {self.name!r} has other columns in line {1 + bool(self.kind)}: "
                f"{', '.join(cells)}, but not {', '.join(self.columns)}."
            )


class DamageError(ValueError):
    """A line that is no row."""


def as_line(values):
    """Values as a line of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([_as_cell(value) for value in values])
    if text.getvalue().count("\n") > 1:
        raise ValueError(f"A row of a checkpoint must have no line breaks, got {values!r}.")
    return text.getvalue()


def _as_cell(value):
    value = value.item() if hasattr(value, "item") else value  # a scalar of NumPy
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _value(cell):
    """A number where the text is one; NaN where there is none."""
    for kind in (int, float):
        try:
            return kind(cell or "nan")
        except ValueError:
            continue
    return cell

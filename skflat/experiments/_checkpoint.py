"""A file that keeps the result of every fit as soon as it is finished."""

import json
import os

HEAD = "# skflat emergence "


class Checkpoint:
    """A CSV file of finished fits. Its first line has the settings of the fits.

    Parameters
    ----------
    path : path-like or None
        A file that does not exist is created. None keeps the rows in memory only.
    settings : dict of str to str
        Fingerprints of the settings. A file with other fingerprints raises an error.
    columns : list of str
        Names of the columns. The first two identify a fit.

    Attributes
    ----------
    rows : dict
        The finished fits, by the values of the first two columns. If an interruption cut off the
        last line of the file, this line is dropped.

    Raises
    ------
    ValueError
        If the file is not a checkpoint, or was written with other settings.
    """

    def __init__(self, path, settings, columns):
        self.path, self.columns, self.rows = path, columns, {}
        if path is None:
            return
        if not os.path.exists(path) or os.path.getsize(path) == 0:
            self._write(f"{HEAD}{json.dumps(settings)}\n{','.join(columns)}\n", "w")
        self._read(settings)

    def add(self, row):
        """Keep a row, in the file too."""
        self._keep([row[name] for name in self.columns])
        if self.path is not None:
            self._write(",".join(json.dumps(row[name]) for name in self.columns) + "\n", "a")

    def _keep(self, values):
        self.rows[tuple(values[:2])] = dict(zip(self.columns, values, strict=True))

    def _write(self, text, mode):
        with open(self.path, mode, encoding="utf-8") as file:
            file.write(text)

    def _read(self, settings):
        with open(self.path, encoding="utf-8") as file:
            lines = file.readlines()
        if not lines[0].startswith(HEAD):
            raise ValueError(f"checkpoint {str(self.path)!r} is not a file of an emergence.")
        written = json.loads(lines[0].removeprefix(HEAD))
        others = [name for name in settings if written.get(name) != settings[name]]
        if others:
            raise ValueError(
                f"checkpoint {str(self.path)!r} was written with other settings: "
                f"{', '.join(others)}. Choose another file, or delete this one."
            )
        # A line without an end was cut off by an interruption. The next row must not continue it.
        if not lines[-1].endswith("\n"):
            lines.pop()
            self._write("".join(lines), "w")
        for line in lines[2:]:
            self._keep(json.loads(f"[{line}]"))

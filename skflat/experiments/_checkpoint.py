"""Rows of finished work kept in a CSV file as they are found, whatever interrupts the work."""

import os
import shutil
import stat
import warnings
from contextlib import suppress
from itertools import count
from pathlib import Path
from pickle import PicklingError

from .._parallel import fingerprint
from ._lines import Format, as_line

try:
    import fcntl
except ImportError:  # not on Windows: there nothing holds a second writer off
    fcntl = None


class Checkpoint:
    """A CSV file of finished tasks, with one row each or several; a context that closes the file.

    Rows are appended as soon as they are there. A kill costs the line that is being written at
    most, and that line is dropped when the file is read again. If the file is damaged otherwise,
    its whole rows are kept, a copy of it as it was gets the suffix ``.broken``, and a warning names
    the lines. A task of several rows beside a damaged line may have lost some of them: it counts
    as not done, and its rows stay in the file until it is done again.

    Parameters
    ----------
    path : path-like or None
        Made if it does not exist. None keeps the rows in memory only.
    columns : list of str
    n_keys : int, default=2
        The values of so many columns, the first ones, tell tasks apart.
    kind : str, default=None
        What the file is of, for a first line before the names of the columns.
    settings : dict of str to str, default=None
        Fingerprints for that line; a file with others is refused.
    numbers : bool, default=False
        Whether a line with anything but numbers is damaged.
    single : bool, default=True
        Whether every task has one row.

    Attributes
    ----------
    rows : dict of tuple to list of dict
        The rows of every task that is done.

    Raises
    ------
    ValueError
        If the file is none of these, was written with other settings or columns, or another writer
        has it.
    OSError
        With the path, if the file cannot be read or written.

    Examples
    --------
    >>> from skflat.experiments import Checkpoint
    >>> with Checkpoint(None, ["size", "seed", "energy"]) as done:
    ...     for size, seed in done.missing([(10, 0), (20, 0)]):
    ...         done.add([{"size": size, "seed": seed, "energy": 1 / size}])
    >>> done.rows[20, 0]
    [{'size': 20, 'seed': 0, 'energy': 0.05}]
    """

    def __init__(
        self, path, columns, *, n_keys=2, kind=None, settings=None, numbers=False, single=True
    ):
        self.columns, self.n_keys, self.single = list(columns), n_keys, single
        self.format = Format(str(path), self.columns, kind, settings or {}, numbers)
        self.path = None if path is None else Path(path)
        self.rows, self._doubtful = {}, {}
        self._file = self._refused = None
        if self.path is not None:
            self._open()
            try:
                self._take(self._content())
            except BaseException:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        """Let other writers have the file."""
        if self._file is not None:
            if fcntl is not None:  # workers that were forked hold the file as well
                fcntl.flock(self._file, fcntl.LOCK_UN)
            self._file.close()
            self._file = None

    def missing(self, tasks):
        """The tasks that are not done yet, as a list.

        Parameters
        ----------
        tasks : iterable of tuple
            Their values of the key columns.

        Returns
        -------
        list of tuple

        Raises
        ------
        PermissionError
            If there are any and the file is read-only: before work is done that nothing keeps.
        """
        missing = [task for task in tasks if task not in self.rows]
        if missing and self._refused is not None:
            raise self._refused
        return missing

    def add(self, rows):
        """Keep the rows of a task, in the file too, in place of those that it had.

        Parameters
        ----------
        rows : list of dict
            One dict for each row, with a value for every column.
        """
        rows = [{name: row[name] for name in self.columns} for row in rows]
        key = self._key(rows[0])
        replaced = self._doubtful.pop(key, None) or self.rows.get(key)
        self.rows[key] = rows
        if self.path is not None and replaced:
            self._replace()
        elif self.path is not None:
            self._append(self._text(rows))

    def _key(self, row):
        return tuple(row[name] for name in self.columns[: self.n_keys])

    def _text(self, rows):
        return "".join(as_line(row.values()) for row in rows)

    # What the file holds

    def _content(self):
        status = os.fstat(self._file.fileno())
        if not stat.S_ISREG(status.st_mode):  # a device may hand out bytes without end
            return b""
        self._file.seek(0)
        return self._file.read()

    def _take(self, content):
        """Take the rows, and leave a file in which every line is whole."""
        if not content:
            if self._refused is None:
                self._append(self.format.heading())
            return
        rows, damage = self.format.parse(content)
        self._group(rows)
        if damage:
            self._repair(damage)
        elif self._refused is None:
            self._file.truncate(content.rfind(b"\n") + 1)

    def _group(self, rows):
        """Rows by task, and apart those of tasks that a damaged line may have belonged to."""
        last, after_damage, doubtful = None, False, set()
        for row in rows:
            key = last if row is None else self._key(row)
            if row is None or after_damage:
                doubtful.add(key)
            if row is not None:
                known = self.rows.setdefault(key, [])
                if not (self.single and known):  # damage may have made its keys those of another
                    known.append(row)
            last, after_damage = key, row is None
        if not self.single:
            self._doubtful = {key: self.rows.pop(key) for key in doubtful & set(self.rows)}

    def _repair(self, damage):
        n_rows = sum(map(len, [*self.rows.values(), *self._doubtful.values()]))
        lines = [f"line {number}: {reason}" for number, reason in sorted(damage.items())]
        more = f"; and {len(lines) - 5} more lines" if len(lines) > 5 else ""
        aside = "it is read-only, so it is left as it is"
        if self._refused is None:
            aside = f"the file as it was is {self._set_aside().name!r}"
            self._replace()
        warnings.warn(
            f"checkpoint {str(self.path)!r} is damaged ({'; '.join(lines[:5])}{more}). "
            f"Its {n_rows} whole rows are kept, and {aside}.",
            stacklevel=5,
        )

    # Writing

    def _open(self):
        """Open the file, with a lock on it that ends with the process at the latest."""
        while self._file is None:
            file = self._opened()
            self._lock(file)
            try:
                same = os.path.samestat(os.fstat(file.fileno()), self.path.stat())
            except FileNotFoundError:
                same = False
            if same:
                self._file = file
            else:  # another writer has replaced the file before the lock
                file.close()

    def _opened(self):
        try:
            return self.path.open("a+b", buffering=0)
        except PermissionError as error:
            self._refused = error  # it matters if rows are missing
            return self.path.open("rb", buffering=0)

    def _lock(self, file):
        if fcntl is None or self._refused is not None:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise ValueError(
                f"checkpoint {str(self.path)!r} is in use by another run. Choose another file, or "
                "wait until that run has ended."
            ) from None
        except OSError:  # a file system without locks
            return

    def _append(self, text):
        size = os.fstat(self._file.fileno()).st_size
        try:
            _write(self._file, text)
        except OSError as error:
            with suppress(OSError):  # a device cannot be cut
                self._file.truncate(size)
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def _replace(self):
        """Replace the file, at once, by one with all rows that are known."""
        groups = [*self._doubtful.values(), *self.rows.values()]
        text = self.format.heading() + "".join(map(self._text, groups))
        target = self.path.resolve()  # of a link, what it leads to
        new = target.with_name(f"{target.name}.new")
        try:
            with new.open("wb", buffering=0) as file:
                _write(file, text)
                os.fsync(file.fileno())
            shutil.copymode(target, new)
            os.replace(new, target)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self.close()
        self._open()

    def _set_aside(self):
        """A copy of the file, under a name that nothing has yet."""
        names = (f"{self.path.name}.broken{n or ''}" for n in count())
        aside = next(each for each in map(self.path.with_name, names) if not each.exists())
        shutil.copy2(self.path, aside)
        return aside


def _write(file, text):
    """All of a text; the system may take a part of it only."""
    rest = memoryview(text.encode())
    while rest:
        rest = rest[file.write(rest) :]


def fingerprints(checkpoint, parts):
    """A fingerprint of each setting, by name. A checkpoint compares them.

    Parameters
    ----------
    checkpoint : path-like or None
        None needs no fingerprints.
    parts : dict of str to object

    Returns
    -------
    dict of str to str

    Raises
    ------
    ValueError
        If a part cannot be pickled.
    """
    if checkpoint is None:
        return {}
    try:
        return {name: fingerprint(part) for name, part in parts.items()}
    except PicklingError as error:
        raise ValueError(
            f"With a checkpoint, functions must be known by a name, and have a module: {error}"
        ) from error

"""The file of finished work: no row that was written is lost, whatever happens to the file."""

import os
import resource
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skflat.experiments import Checkpoint

COLUMNS = ["size", "seed", "energy"]
SETTINGS = {"data": "0a1b2c", "measure": "ffee99"}
ROWS = [{"size": 10 * k, "seed": 0, "energy": 1 / k} for k in range(1, 8)]
HEAD = '# skflat emergence {"data": "0a1b2c", "measure": "ffee99"}\nsize,seed,energy\n'
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def opened(path, columns=COLUMNS, fingerprints=SETTINGS):
    return Checkpoint(path, columns, kind="emergence", settings=fingerprints, numbers=True)


def kept(path, **changed):
    with opened(path, **changed) as done:
        return [row for rows in done.rows.values() for row in rows]


@pytest.fixture
def path(tmp_path):
    with opened(tmp_path / "fits.csv") as done:
        for row in ROWS:
            done.add([row])
    return tmp_path / "fits.csv"


def test_rows_come_back_to_the_bit(path):
    assert path.read_text().startswith(HEAD)
    assert kept(path) == ROWS
    assert os.listdir(path.parent) == ["fits.csv"]


DAMAGE = {
    "settings cut": (0, lambda line: line[:30], "line 1: its settings are damaged"),
    "columns cut": (1, lambda line: line[:6], "line 2: it has 2 values for 3 columns"),
    "garbage": (3, lambda line: b"\xff\xfe\x81", "line 4: 'utf-8' codec"),
    "words": (3, lambda line: b"what,is,this", "line 4: 'what' is no number"),
    "NUL bytes": (3, lambda line: b"\0" * len(line), "line 4: it holds NUL bytes"),
    "a short row": (8, lambda line: line[:4], "line 9: it has 2 values for 3 columns"),
    "a quote": (4, lambda line: b'"' + line, "line 5: it has 1 values for 3 columns"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_and_set_aside(path, damage):
    number, change, named = DAMAGE[damage]
    lines = path.read_bytes().split(b"\n")
    lines[number] = change(lines[number])
    path.write_bytes(b"\n".join(lines))
    before = path.read_bytes()
    with pytest.warns(UserWarning, match=rf"checkpoint .*fits\.csv' is damaged \({named}"):
        found = kept(path)
    broken = path.with_name("fits.csv.broken")
    assert broken.read_bytes() == before
    lost = [ROWS[number - 2]] if number > 1 else ROWS if number == 0 else []
    assert found == [row for row in ROWS if row not in lost]
    assert kept(path) == found  # without a warning
    with opened(path) as done:
        for row in lost:
            done.add([row])
    assert sorted(map(str, kept(path))) == sorted(map(str, ROWS))
    assert sorted(os.listdir(path.parent)) == ["fits.csv", "fits.csv.broken"]


def test_a_second_broken_file_does_not_replace_the_first(path):
    for _ in range(2):
        with path.open("a") as file:
            file.write("what\n")
        with pytest.warns(UserWarning, match="line 10: .* Its 7 whole rows are kept"):
            kept(path)
    names = ["fits.csv", "fits.csv.broken", "fits.csv.broken1"]
    assert sorted(os.listdir(path.parent)) == names


@pytest.mark.parametrize("end", ["\n", "\n\n", "\r\n", "1", "80,0,0.12", "80,0"])
def test_blank_and_unfinished_last_lines_are_no_damage(path, end):
    with path.open("a") as file:
        file.write(end)
    assert kept(path) == ROWS
    with opened(path) as done:
        done.add([{"size": 80, "seed": 0, "energy": 0.125}])
    assert [row["size"] for row in kept(path)] == [10, 20, 30, 40, 50, 60, 70, 80]


@pytest.mark.parametrize("length", range(0, len(HEAD), 7))
def test_a_file_that_ends_before_its_rows_begins_anew(tmp_path, length):
    path = tmp_path / "fits.csv"
    path.write_text(HEAD[:length])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if length else "error")
        assert kept(path) == []
    with opened(path) as done:
        done.add(ROWS[:1])
    assert kept(path) == ROWS[:1]
    assert path.read_text().startswith(HEAD)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"columns": ["seed", "size", "energy"]}, "other columns in line 2: size, seed, energy"),
        ({"fingerprints": SETTINGS | {"data": "other"}}, "other settings: data"),
    ],
)
def test_what_differs_is_refused_and_left_alone(path, changed, named):
    before = path.read_bytes()
    with pytest.raises(ValueError, match=named):
        kept(path, **changed)
    assert path.read_bytes() == before
    assert kept(path) == ROWS  # and nothing holds the file


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_whole_rows_before_any_damage_survive(data):
    """A valid file is cut, or bytes of it are replaced or inserted, anywhere after its head."""
    content = (HEAD + "".join(f"{r['size']},0,{r['energy']!r}\n" for r in ROWS)).encode()
    place = data.draw(st.integers(len(HEAD), len(content)))
    change = data.draw(st.one_of(st.none(), st.binary(min_size=1, max_size=4)))
    skip = data.draw(st.integers(0, 4))
    damaged = (
        content[:place] if change is None else content[:place] + change + content[place + skip :]
    )
    n_whole = content[:place].count(b"\n") - 2
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, "fits.csv")
        path.write_bytes(damaged)
        with opened(path) as done:
            found = [done.rows.get((row["size"], 0)) for row in ROWS[: max(n_whole, 0)]]
            assert found == [[row] for row in ROWS[: max(n_whole, 0)]]
            done.add([{"size": 999, "seed": 7, "energy": 0.5}])
        warnings.simplefilter("error")
        assert kept(path)[-1] == {"size": 999, "seed": 7, "energy": 0.5}
        copies = [each.read_bytes() for each in Path(folder).glob("*.broken")]
        assert copies in ([], [damaged])


@given(place=st.integers(0, len(HEAD) - 1), byte=st.binary(max_size=2))
@settings(max_examples=100, deadline=None)
def test_damage_of_the_head_loses_nothing(place, byte):
    """Every row is kept, or the file is refused and left alone, or all of it is set aside."""
    content = (HEAD + "".join(f"{r['size']},0,{r['energy']!r}\n" for r in ROWS)).encode()
    damaged = content[:place] + byte + content[place + 1 :]
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, "fits.csv")
        path.write_bytes(damaged)
        try:
            found = kept(path)
        except ValueError:
            assert path.read_bytes() == damaged
        else:
            aside = path.with_name("fits.csv.broken")
            assert found == ROWS or aside.read_bytes() == damaged


def test_a_full_disk_is_told_with_the_path_and_leaves_whole_rows(path):
    before = path.read_bytes()
    with opened(path) as done:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5, limits[1]))
        try:
            with pytest.raises(OSError, match=r"fits\.csv"):
                done.add([{"size": 80, "seed": 0, "energy": 0.125}])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_device_without_room_is_noticed_first():
    with pytest.raises(OSError, match=r"No space left on device: '/dev/full'"):
        opened("/dev/full")


def test_a_read_only_file_is_noticed_before_the_work(path, monkeypatch):
    real = Path.open

    def refuses(self, mode="r", **options):
        if "a" in mode:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, mode, **options)

    monkeypatch.setattr(Path, "open", refuses)  # root may write to any file
    with opened(path) as done:
        assert done.missing([(10, 0)]) == []
        with pytest.raises(PermissionError, match=r"fits\.csv"):
            done.missing([(80, 0)])


def test_a_second_writer_is_refused(path):
    again = f"from skflat.experiments import Checkpoint as C; C({str(path)!r}, {COLUMNS})"
    with opened(path) as done:
        with pytest.raises(ValueError, match=r"fits\.csv' is in use by another run"):
            opened(path)
        done.add([ROWS[0]])  # replaces the file, and keeps it
        ended = subprocess.run(
            [sys.executable, "-c", again], capture_output=True, text=True, check=False
        )
        assert "is in use by another run" in ended.stderr
    assert kept(path) == ROWS


def test_a_task_of_several_rows_beside_damage_is_done_again(tmp_path):
    path, columns = tmp_path / "curves.csv", ["name", "seed", "distance", "value"]
    settings = {"n_keys": 2, "single": False}
    tasks = {
        (name, 0): [dict(zip(columns, (name, 0, d, d / 3), strict=True)) for d in (0.1, 0.2)]
        for name in "abc"
    }
    with Checkpoint(path, columns, **settings) as done:
        for rows in tasks.values():
            done.add(rows)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:-3], "b,0\n", *lines[-2:]]))
    with pytest.warns(UserWarning, match="line 5: it has 2 values for 4 columns"):
        done = Checkpoint(path, columns, **settings)
    with done:
        assert done.missing(tasks) == [("b", 0), ("c", 0)]
        assert path.read_text().count("\n") == 6  # all whole rows are there
        for task in done.missing(tasks):
            done.add(tasks[task])
    with Checkpoint(path, columns, **settings) as done:
        assert done.rows == tasks


@pytest.mark.parametrize(("name", "n_keys"), [("label_noise", 4), ("wide_minima/storage", 4)])
def test_the_files_of_the_benchmarks_are_read(tmp_path, name, n_keys):
    path = shutil.copy(BENCHMARKS / f"{name}.csv", tmp_path)
    lines = Path(path).read_text().splitlines()
    with Checkpoint(path, lines[0].split(","), n_keys=n_keys) as done:
        assert len(done.rows) == len(lines) - 1
    assert Path(path).read_text().splitlines() == lines


def test_scalars_of_numpy_and_nothing_are_kept(tmp_path):
    row = {"size": np.int64(3), "seed": np.float32(0.5), "energy": np.nan}
    with opened(tmp_path / "fits.csv") as done:
        done.add([row])
    (found,) = kept(tmp_path / "fits.csv")
    assert (found["size"], found["seed"]) == (3, 0.5)
    assert np.isnan(found["energy"])

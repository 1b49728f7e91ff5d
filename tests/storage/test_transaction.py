"""Files that change completely or not at all, and files that grow."""

import errno
import io

import h5py
import numpy as np
import pytest

from fastsf.errors import FormatError, StorageError
from fastsf.storage import transaction
from fastsf.storage.growing import GrowingFile
from fastsf.storage.transaction import Transaction, recover, remove


@pytest.fixture
def path(tmp_path):
    """Write a file of the bytes 0 to 99; return its path."""
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    return path


def change(path) -> bytes:
    """Overwrite twice, once across the end, and leave a hole; return the new contents."""
    expected = bytearray(range(100)) + bytes(60)
    with Transaction(path) as file:
        for start, data in ((10, b"abcdef"), (12, b"XY"), (95, b"across the end"), (130, b"behind a hole")):
            file.seek(start)
            file.write(data)
            expected[start : start + len(data)] = data
        file.truncate(160)
        seen = bytearray(160)
        file.seek(0)
        assert file.readinto(seen) == 160
        assert seen == expected
        assert path.read_bytes() == bytes(range(100))
        file.commit()
    return bytes(expected)


def test_changes_come_with_the_commit(path):
    expected = change(path)
    assert path.read_bytes() == expected
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_without_a_commit_nothing_changes(path):
    with Transaction(path) as file:
        file.write(b"something")
    assert path.read_bytes() == bytes(range(100))


@pytest.mark.parametrize("calls", range(4))
def test_an_end_at_any_moment_can_be_undone(path, monkeypatch, calls):
    """Every call that changes a file may be the last one of a process."""

    class Killed(BaseException):
        pass

    left = [calls]

    def dying(real):
        def call(*arguments, **more):
            if not left[0]:
                raise Killed
            left[0] -= 1
            return real(*arguments, **more)

        return call

    monkeypatch.setattr(transaction.os, "fsync", dying(transaction.os.fsync))
    with pytest.raises(Killed):
        change(path)
    monkeypatch.undo()
    recover(path)
    assert path.read_bytes() == bytes(range(100))
    assert change(path) == path.read_bytes()


def test_kill_in_the_middle_of_overwriting(path, monkeypatch):
    """Part of the old bytes are gone; the saved ones restore them."""
    write, calls = Transaction._write, []

    def half(self, file, first, last):
        calls.append(first)
        if len(calls) == 2:
            file.seek(10)
            file.write(b"abc")
            raise KeyboardInterrupt
        write(self, file, first, last)

    with monkeypatch.context() as context:
        context.setattr(Transaction, "_write", half)
        with pytest.raises(KeyboardInterrupt):
            change(path)
    assert path.read_bytes()[10:13] == b"abc"
    with Transaction(path) as file:  # recovers
        assert file.seek(0, io.SEEK_END) == 100
    assert path.read_bytes() == bytes(range(100))


def test_a_full_disk_changes_nothing(path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(transaction, "write_states", full)
        with pytest.raises(StorageError, match=r"cannot write .*file: no space left on device"):
            change(path)
    assert path.read_bytes() == bytes(range(100))
    assert change(path) == path.read_bytes()


def test_hdf5_files_grow(tmp_path):
    path = tmp_path / "file.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (0, 7), "f4", maxshape=(None, 7), chunks=(5, 7))
    numbers = np.random.default_rng(0).normal(size=(200, 7)).astype(np.float32)
    for begin, end in ((0, 3), (3, 4), (4, 90), (90, 91), (91, 200)):
        with Transaction(path) as disk:
            with h5py.File(disk, "r+") as file:
                file["x"].resize(end, axis=0)
                file["x"][begin:] = numbers[begin:end]
            disk.commit()
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file["x"], numbers[:end])


def test_remove(path):
    path.with_name("file.undo").write_bytes(b"")
    remove(path)
    assert not list(path.parent.iterdir())


def test_growing_file(tmp_path):
    path = tmp_path / "text"
    file = GrowingFile(path)
    file.add(b"one\n")
    file.add(b"two\n")
    file.close()
    again = GrowingFile(path, 4)
    again.add(b"three\n")
    again.sync()
    again.close()
    assert path.read_bytes() == b"one\nthree\n"
    with pytest.raises(FormatError, match="expected at least 11 bytes, as when the checkpoint was written; found 10"):
        GrowingFile(path, 11)

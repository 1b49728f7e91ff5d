"""Featurizations continue after any interruption and result in the same file."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from support.featurizing import TOML, command, descriptor, structures, write_data

from fastsf import ACSF, InputError, StorageError
from fastsf.datasets.read_ahead import ReadingProgress
from fastsf.featurize import chunks
from fastsf.featurize.run import Options, Reading, featurize

pytestmark = pytest.mark.usefixtures("compiled")

OPTIONS = Options(derivatives=True, scale=True, chunk_atoms=20)
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@pytest.fixture(autouse=True)
def _constant_date(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")


@pytest.fixture
def data(tmp_path):
    return write_data(tmp_path / "data.xyz", structures(40))


@pytest.fixture
def whole(data):
    """Return the bytes of the file of an undisturbed run."""
    output = data.with_name("out.h5")
    featurize([data], output, descriptor(), OPTIONS)
    return output.rename(data.with_name("whole.h5")).read_bytes()


def go_on(data, **more):
    output = data.with_name("out.h5")
    return featurize([data], output, descriptor(), OPTIONS, **more), output


def stop_after(count):
    """Return a callback that stops the run when so many structures are saved."""

    def call(progress: ReadingProgress) -> None:
        if progress.structures >= count:
            raise KeyboardInterrupt

    return call


@pytest.mark.parametrize("count", [1, 10, 25, 40])
def test_goes_on_after_an_interruption_without_computing_anything_twice(data, whole, count, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        go_on(data, on_progress=stop_after(count))
    folder = data.with_name("out.h5.parts")
    saved = sorted(path.stat().st_mtime_ns for path in folder.glob("chunk-????????"))
    assert saved

    real, seen = ACSF.evaluate_batch, []

    def counting(self, batch, jacobian=False):
        seen.extend(batch)
        return real(self, batch, jacobian=jacobian)

    monkeypatch.setattr(ACSF, "evaluate_batch", counting)
    summary, output = go_on(data)
    assert summary.resumed >= count
    assert len(seen) == 40 - summary.resumed
    assert output.read_bytes() == whole
    assert not folder.exists()


def test_many_interruptions(data, whole):
    for count in (4, 8, 12, 16, 24, 32):
        with pytest.raises(KeyboardInterrupt):
            go_on(data, on_progress=stop_after(count))
    assert go_on(data)[1].read_bytes() == whole


def test_error_keeps_what_is_finished(data, whole, monkeypatch):
    """A structure in the middle stops the run; without it, the rest is computed."""
    real = ACSF.evaluate_batch

    def failing(self, batch, jacobian=False):
        if failing.calls >= 3:
            raise InputError("a bad structure")
        failing.calls += 1
        return real(self, batch, jacobian=jacobian)

    failing.calls = 0
    with monkeypatch.context() as context:
        context.setattr(ACSF, "evaluate_batch", failing)
        with pytest.raises(InputError, match=r"data\.xyz, frame \d+: a bad structure"):
            go_on(data)
    summary, output = go_on(data)
    assert summary.resumed > 0
    assert output.read_bytes() == whole


def test_other_options_do_not_go_on(data):
    with pytest.raises(KeyboardInterrupt):
        go_on(data, on_progress=stop_after(10))
    output = data.with_name("out.h5")
    with pytest.raises(InputError, match=r"out\.h5\.parts belongs to another run \(scale was True, is False\)"):
        featurize([data], output, descriptor(), Options(derivatives=True, chunk_atoms=20))
    with pytest.raises(InputError, match="other symmetry functions"):
        featurize([data], output, ACSF(descriptor().functions[:9]), OPTIONS)
    other = write_data(data.with_name("other.xyz"))
    with pytest.raises(InputError, match=r"input files have changed: .*data\.xyz, .*other\.xyz"):
        featurize([other], output, descriptor(), OPTIONS)
    assert featurize([other], output, descriptor(), OPTIONS, overwrite=True).structures == 12


def test_run_that_stopped_at_an_error_may_go_on_with_skipping(data):
    with pytest.raises(KeyboardInterrupt):
        go_on(data, on_progress=stop_after(10))
    summary, _ = go_on(data, reading=Reading(on_error="skip"))
    assert summary.resumed >= 10
    with pytest.raises(InputError, match="on_error was skip, is stop"):
        go_on(data)


def test_kill_between_the_renaming_and_the_cleaning(data, whole, monkeypatch):
    output, folder, clear = data.with_name("out.h5"), data.with_name("out.h5.parts"), chunks.FeatureChunks.clear

    def killed(self):
        if output.exists():
            raise KeyboardInterrupt
        clear(self)

    with monkeypatch.context() as context:
        context.setattr(chunks.FeatureChunks, "clear", killed)
        with pytest.raises(KeyboardInterrupt):
            go_on(data)
    assert len(list(folder.glob("chunk-*"))) == 10
    assert output.read_bytes() == whole
    assert go_on(data)[0].resumed == 40
    assert output.read_bytes() == whole
    assert not folder.exists()


def test_kill_in_the_middle_of_the_cleaning(data, whole):
    with pytest.raises(KeyboardInterrupt):
        go_on(data, on_progress=stop_after(20))
    output, folder = data.with_name("out.h5"), data.with_name("out.h5.parts")
    (folder / "manifest.json").unlink()
    output.write_bytes(whole)
    assert go_on(data)[0].complete_before
    assert not folder.exists()


@pytest.mark.parametrize("moment", ["start of the thread", "first chunk", "second chunk"])
def test_control_c_while_earlier_chunks_are_copied(data, whole, monkeypatch, moment):
    with pytest.raises(KeyboardInterrupt):
        go_on(data, on_progress=stop_after(30))
    load, output = chunks.FeatureChunks.load, data.with_name("out.h5")
    wanted = {"start of the thread": -1, "first chunk": 0, "second chunk": 1}[moment]

    def interrupted(self, index):
        if index == wanted:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)  # the main thread gets the signal
        return load(self, index)

    def interrupted_start(thread):
        start(thread)
        if thread.name.startswith("writer") and wanted < 0:
            os.kill(os.getpid(), signal.SIGINT)

    start = threading.Thread.start

    with monkeypatch.context() as context:
        context.setattr(chunks.FeatureChunks, "load", interrupted)
        context.setattr(threading.Thread, "start", interrupted_start)
        with pytest.raises(KeyboardInterrupt):
            go_on(data)
    assert not output.exists()
    assert not output.with_name("out.h5.tmp").exists()
    assert go_on(data)[0].resumed >= 30
    assert output.read_bytes() == whole


def test_half_written_temporary_files_do_no_harm(data, whole):
    with pytest.raises(KeyboardInterrupt):
        go_on(data, on_progress=stop_after(10))
    folder = data.with_name("out.h5.parts")
    count = len(list(folder.glob("chunk-????????")))
    (folder / f"chunk-{count:08d}.tmp").write_bytes(b"half a chunk")
    (folder / "manifest.json.tmp").write_bytes(b"{")
    data.with_name("out.h5.tmp").write_bytes(b"half a file")
    assert go_on(data)[1].read_bytes() == whole
    assert sorted(path.name for path in data.parent.iterdir()) == ["data.xyz", "out.h5", "whole.h5"]


def test_damaged_chunk_is_an_error(data):
    with pytest.raises(KeyboardInterrupt):
        go_on(data, on_progress=stop_after(10))
    chunk = data.with_name("out.h5.parts") / "chunk-00000001"
    chunk.write_bytes(chunk.read_bytes()[:-8])
    with pytest.raises(StorageError, match=r"chunk-00000001 is damaged"):
        go_on(data)


# --- processes that are killed ---


def featurize_words(data, output):
    definition = data.with_name("functions.toml")
    definition.write_text(TOML)
    words = ["featurize", data, "-o", output, "--functions", definition]
    return [*words, "--derivatives", "--scale", "--chunk-atoms", "20", "--threads", "1"]


def wait_for_chunks(process, folder, count):
    """Wait for so many chunks; return whether the process is still running."""
    while process.poll() is None:
        if len(list(folder.glob("chunk-????????"))) >= count:
            return True
        time.sleep(0.001)
    return False


@linux
def test_killed_processes_leave_nothing_half_done(tmp_path):
    data = write_data(tmp_path / "data.xyz", structures(200, seed=8))
    output, undisturbed = tmp_path / "out.h5", tmp_path / "undisturbed.h5"
    words = featurize_words(data, output)
    process = command(*words)
    _, err = process.communicate()
    assert process.returncode == 0, err
    shutil.move(output, undisturbed)

    rng = np.random.default_rng(2024)
    killed, count = 0, 0
    for step in rng.integers(2, 14, size=5):
        count += int(step)
        process = command(*words)
        if wait_for_chunks(process, output.with_name("out.h5.parts"), count):
            process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert not output.exists() or output.read_bytes() == undisturbed.read_bytes()
    assert killed >= 3
    process = command(*words)
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "were computed before and not computed again" in out
    assert output.read_bytes() == undisturbed.read_bytes()
    assert not output.with_name("out.h5.parts").exists()


@linux
def test_control_c_is_one_line_and_status_130(tmp_path):
    data = write_data(tmp_path / "data.xyz", structures(400, seed=8))
    output = tmp_path / "out.h5"
    process = command(*featurize_words(data, output))
    assert wait_for_chunks(process, output.with_name("out.h5.parts"), 3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert err.startswith("fastsf: interrupted (finished chunks are kept in ")
    assert err.count("\n") == 1
    assert not output.exists()


# --- full disks ---


def limited(size):
    return f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))"


@linux
def test_chunk_that_does_not_fit(tmp_path):
    data = write_data(tmp_path / "data.xyz", structures(40))
    output = tmp_path / "out.h5"
    process = command(*featurize_words(data, output), before=limited(2000))
    _, err = process.communicate()
    assert process.returncode == 2
    assert err.startswith("fastsf: cannot write ")
    assert err.rstrip().endswith("chunk-00000000: file too large")
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.xyz", "functions.toml"]


@linux
def test_final_file_that_does_not_fit_keeps_the_chunks(data, whole):
    output = data.with_name("out.h5")
    largest = len(whole) // 2
    process = command(*featurize_words(data, output), before=limited(largest))
    _, err = process.communicate()
    assert process.returncode == 2
    assert err.startswith(f"fastsf: cannot write {output}: file too large (finished chunks are kept in ")
    assert err.count("\n") == 1
    assert not output.exists()
    assert not output.with_name("out.h5.tmp").exists()
    process = command(*featurize_words(data, output))
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "structures were computed before and not computed again" in out
    assert output.exists()


@pytest.fixture
def small_disk(tmp_path):
    """Return a file system of 300 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("no permission to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@linux
def test_full_disk(tmp_path, small_disk):
    data = write_data(tmp_path / "data.xyz", structures(200))
    output = small_disk / "out.h5"
    process = command(*featurize_words(data, output))
    _, err = process.communicate()
    assert process.returncode == 2
    assert "no space left on device (finished chunks are kept in " in err
    assert err.count("\n") == 1
    kept = sorted(path.name for path in small_disk.iterdir())
    assert kept == ["out.h5.parts"]
    assert not list((small_disk / "out.h5.parts").glob("*.tmp"))

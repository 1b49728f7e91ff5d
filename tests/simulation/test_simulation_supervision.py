"""Supervision of a run: extrapolations, disagreement of a committee, structures that are saved."""

import ase.io
import numpy as np
import pytest
from support.committees import ice, potential
from support.harmonic import Harmonic, simulate

from fastsf.errors import InputError, SimulationError
from fastsf.potentials.committee import Committee
from fastsf.simulation.checkpoint import RunCheckpoint
from fastsf.simulation.log import read_log
from fastsf.simulation.supervision import Supervision, SupervisionSettings

TRUSTED = 1e9
"""A limit of the deviation that nothing reaches."""


class Watched:
    """A run of atoms that are pushed at random, under supervision."""

    def __init__(self, folder, members=2, spread=1.0, **settings) -> None:
        self.folder, self.said = folder, []
        self.potentials = [potential(seed, spread=spread) for seed in range(members)]
        eyes = Committee(self.potentials) if members > 1 else self.potentials[0]
        self.settings = SupervisionSettings(**{"every": 5, "apart": 10, **settings})
        self.watch = Supervision(eyes, ice(), folder, self.settings, self.said.append, threads=1)

    def run(self, steps):
        simulate(self.folder, steps, Harmonic(atoms=ice()), watches=[self.watch])
        return read_log(self.folder / "checks.csv")

    def saved(self):
        path = self.folder / "candidates.extxyz"
        return ase.io.read(path, ":") if path.stat().st_size else []


def frames(steps):
    engine = Harmonic(atoms=ice())
    for _ in range(0, steps + 1, 5):
        frame = engine.frame()
        yield frame
        engine.advance(5, 5)


def test_deviations_are_those_of_the_committee(tmp_path):
    watched = Watched(tmp_path, extrapolation="ignore", limit=TRUSTED)
    log = watched.run(20)
    np.testing.assert_array_equal(log["step"], [0, 5, 10, 15, 20])
    committee = Committee(watched.potentials)
    for row, frame in enumerate(frames(20)):
        atoms = ice()
        atoms.positions = frame.positions
        result = committee.evaluate(atoms)
        deviations = np.linalg.norm(result.forces_std, axis=1)
        assert log["largest force deviation (eV/Å)"][row] == pytest.approx(deviations.max(), rel=1e-9)
        assert log["mean force deviation (eV/Å)"][row] == pytest.approx(deviations.mean(), rel=1e-9)
        assert log["energy deviation (eV)"][row] == pytest.approx(result.energy_std, rel=1e-9)
        assert log["extrapolations"][row] == result.outside.sum()
    assert (watched.said, watched.saved()) == ([], [])


def test_disagreement_is_saved_now_and_then(tmp_path):
    watched = Watched(tmp_path, extrapolation="ignore", limit=1e-9, disagreement="save")
    watched.run(30)
    images = watched.saved()
    assert [atoms.info["step"] for atoms in images] == [0, 10, 20, 30]
    frame = list(frames(30))[2]
    shift = (images[1].positions - frame.positions) @ np.linalg.inv(frame.cell)
    np.testing.assert_allclose(shift, shift.round(), atol=1e-12)
    assert images[1].arrays["deviation"].max() > 0
    assert len(watched.said) == 1
    assert "step 0: the forces of the committee on atom" in watched.said[0]
    assert "above the limit of 1e-09" in watched.said[0]
    assert any("disagreement in 7 frames" in line for line in watched.watch.summary())


def test_warnings_do_not_save(tmp_path):
    watched = Watched(tmp_path, extrapolation="warn", limit=1e-9, disagreement="warn", spread=1e-3)
    watched.run(60)
    assert watched.saved() == []
    assert [text.partition(":")[0] for text in watched.said] == ["step 0", "step 0", "step 45", "step 45"]
    assert "(10 frames so far)" in watched.said[-1]


def test_disagreement_can_stop(tmp_path):
    deviations = Watched(tmp_path / "look", extrapolation="ignore", limit=TRUSTED).run(60)
    largest = deviations["largest force deviation (eV/Å)"]
    limit = np.sort(largest)[-2] * (1 + 1e-9)
    step = int(deviations["step"][np.argmax(largest)])
    folder = tmp_path / "run"
    watched = Watched(folder, extrapolation="ignore", limit=limit, disagreement="stop")
    with pytest.raises(SimulationError, match=f"stopped at step {step:,}: the forces of the committee on atom"):
        watched.run(60)
    assert [atoms.info["step"] for atoms in watched.saved()] == [step]
    assert RunCheckpoint.read(folder / "checkpoint.npz").step <= step
    Watched(folder, extrapolation="ignore", limit=limit, disagreement="warn").run(60)
    assert read_log(folder / "checks.csv")["step"].tolist() == deviations["step"].tolist()


def test_extrapolations_of_one_potential(tmp_path):
    watched = Watched(tmp_path, members=1, spread=1e-3, extrapolation="save")
    log = watched.run(10)
    expected = [int(watched.potentials[0].evaluate(frame_atoms(frame)).outside.sum()) for frame in frames(10)]
    assert log["extrapolations"].tolist() == expected
    assert min(expected) > 0
    assert np.isnan(log["largest force deviation (eV/Å)"]).all()
    assert [atoms.info["step"] for atoms in watched.saved()] == [0, 10]
    assert watched.saved()[0].arrays["outside"].sum() == expected[0]
    assert "outside the range of the training set" in watched.said[0]
    assert any("values outside the range" in line for line in watched.watch.summary())


def frame_atoms(frame):
    atoms = ice()
    atoms.positions = frame.positions
    return atoms


def test_extrapolations_can_stop_at_once(tmp_path):
    watched = Watched(tmp_path, members=1, spread=1e-3, extrapolation="stop")
    with pytest.raises(SimulationError, match=r"stopped at step 0: .* symmetry functions of 6 atoms are outside"):
        watched.run(10)
    assert RunCheckpoint.read(tmp_path / "checkpoint.npz").step == 0
    assert len(watched.saved()) == 1


def test_a_longer_run_continues_the_files(tmp_path):
    for steps in (13, 13, 40):
        Watched(tmp_path / "parts", limit=1e-9).run(steps)
    Watched(tmp_path / "whole", limit=1e-9).run(40)
    for name in ("checks.csv", "candidates.extxyz"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("wrong", [{"every": 0}, {"limit": 0.0}, {"extrapolation": "halt"}, {"apart": 0}])
def test_settings_outside_their_range(wrong):
    with pytest.raises(InputError, match="expected"):
        SupervisionSettings(**wrong)

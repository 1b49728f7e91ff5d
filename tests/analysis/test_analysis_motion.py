"""Correlation functions against their definitions; random walks and oscillators with known answers."""

import math

import numpy as np
import pytest
from ase import Atoms, units
from ase.constraints import FixAtoms
from ase.geometry import wrap_positions

from fastsf.analysis.correlation import autocorrelation, square_displacement
from fastsf.analysis.diffusion import mean_square_displacement
from fastsf.analysis.motion import Displacements, Tracks, Velocities
from fastsf.analysis.vibrations import vibrations
from fastsf.errors import InputError, StructureError

SKEWED = np.array([[7.0, 0.0, 0.0], [2.5, 6.5, 0.0], [-1.5, 2.0, 8.0]])


def tracks_of(vectors: np.ndarray, symbols: str | Atoms) -> Tracks:
    tracks = Tracks(Atoms(symbols).numbers, 1.0)
    for frame in vectors:
        tracks.add(frame)
    return tracks


@pytest.mark.parametrize("frames", [1, 2, 17, 64])
def test_autocorrelation_is_the_direct_sum(frames: int) -> None:
    rows = np.random.default_rng(1).normal(size=(5, frames))
    direct = [np.mean((rows[:, : frames - k] * rows[:, k:]).sum(axis=0)) for k in range(frames)]
    np.testing.assert_allclose(autocorrelation(rows, frames), direct, atol=1e-12)
    lags = max(1, frames // 3)
    np.testing.assert_allclose(autocorrelation(rows, lags), direct[:lags], atol=1e-12)


@pytest.mark.parametrize("frames", [2, 17, 64])
def test_square_displacement_is_the_direct_sum(frames: int) -> None:
    rows = 1e3 + np.cumsum(np.random.default_rng(2).normal(size=(5, frames)), axis=1)
    direct = [np.mean(((rows[:, k:] - rows[:, : frames - k]) ** 2).sum(axis=0)) for k in range(frames)]
    np.testing.assert_allclose(square_displacement(rows, frames), direct, rtol=1e-10, atol=1e-10)


def walk(frames: int, atoms: int, step: float, seed: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(scale=step, size=(frames, atoms, 3)), axis=0)


def test_random_walk_has_its_diffusion_coefficient() -> None:
    """D = variance of a step / (2 interval)."""
    interval, coefficients = 0.01, {"H": 0.4, "O": 0.1}
    steps = [math.sqrt(2 * coefficient * interval) for coefficient in coefficients.values()]
    vectors = np.concatenate([walk(2000, 60, step, seed) for seed, step in enumerate(steps)], axis=1)
    msd = mean_square_displacement(tracks_of(vectors, "H60O60"), interval)
    for symbol, coefficient in coefficients.items():
        found = msd.diffusion[symbol]
        assert abs(found.value - coefficient) < 5 * found.error
        assert 0.005 < found.error / coefficient < 0.1
        assert found.exponent == pytest.approx(1.0, abs=0.1)
        np.testing.assert_allclose(msd.values[symbol][:20], 6 * coefficient * msd.lags[:20], rtol=0.03)
    assert msd.fit == pytest.approx((0.4, 2.0)) and msd.piece_length == pytest.approx(4.0)
    assert np.isfinite(msd.errors["O"][:400]).all() and np.isnan(msd.errors["O"][400:]).all()


def test_errors_of_diffusion_cover_the_truth() -> None:
    scores = []
    for seed in range(40):
        found = mean_square_displacement(tracks_of(walk(300, 8, math.sqrt(0.02), seed), "Ar8"), 0.01).diffusion["Ar"]
        scores.append((found.value - 1.0) / found.error)
    assert abs(np.mean(scores)) < 0.8 and 0.6 < np.std(scores) < 2.5


def test_chosen_range_of_the_fit() -> None:
    tracks = tracks_of(walk(200, 5, 0.1, 3), "Ar5")
    msd = mean_square_displacement(tracks, 0.5, pieces=2, fit=(2.0, 10.0))
    assert msd.fit == (2.0, 10.0) and msd.pieces == 2
    lags, values = msd.lags[4:21], msd.values["Ar"][4:21]
    assert msd.diffusion["Ar"].value == pytest.approx(np.polyfit(lags, values, 1)[0] / 6)
    with pytest.raises(InputError, match="below the length of a piece, 50 ps, found 60 ps"):
        mean_square_displacement(tracks, 0.5, pieces=2, fit=(2.0, 60.0))
    with pytest.raises(InputError, match="at least 3 frames"):
        mean_square_displacement(tracks, 0.5, fit=(2.0, 2.6))
    with pytest.raises(InputError, match="from a lag to a longer one"):
        mean_square_displacement(tracks, 0.5, fit=(2.0, 1.0))
    with pytest.raises(InputError, match="pieces"):
        mean_square_displacement(tracks, 0.5, pieces=1)


def test_too_few_frames() -> None:
    tracks = tracks_of(walk(1, 5, 0.1, 3), "Ar5")
    with pytest.raises(InputError, match="at least 32 frames, found 1"):
        mean_square_displacement(tracks, 0.5)
    with pytest.raises(InputError, match="at least 32 frames, found 1"):
        vibrations(tracks, np.ones(5), 1.0)


# --- unwrapping, drift, memory ---


@pytest.mark.parametrize("pbc", [True, (True, False, True)])
def test_wrapped_walk_is_unwrapped(pbc: bool) -> None:
    vectors = walk(300, 6, 0.4, 5)
    frames = [Atoms("Ar6", positions=wrap_positions(each, SKEWED, pbc), cell=SKEWED, pbc=pbc) for each in vectors]
    displacements = Displacements(frames[0], 1.0, remove_drift=False)
    for atoms in frames[1:]:
        displacements.add(atoms)
    for atoms, rows in displacements.tracks.rows("Ar"):
        expected = (vectors - vectors[0])[:, atoms].reshape(300, -1).T
        np.testing.assert_allclose(rows, expected, atol=1e-5)
    assert not displacements.is_ambiguous


def test_jumps_of_half_a_cell_are_noticed() -> None:
    frames = [Atoms("Ar", positions=[[x, 0, 0]], cell=[4, 4, 4], pbc=True) for x in (0.0, 1.8)]
    displacements = Displacements(frames[0], 1.0)
    displacements.add(frames[1])
    assert displacements.is_ambiguous
    as_given = Displacements(frames[0], 1.0, unwrap=False)
    as_given.add(Atoms("Ar", positions=[[9.0, 0, 0]], cell=[4, 4, 4], pbc=True))
    assert next(as_given.tracks.rows("Ar"))[1][0].tolist() == [0.0, 9.0] and not as_given.is_ambiguous


def test_shrinking_cell_keeps_short_steps_short() -> None:
    """An atom far from the origin that follows the cell moves as its wrapped image does."""
    first = Atoms("Ar2", positions=[[1.0, 1, 1], [101.0, 1, 1]], cell=[10, 10, 10], pbc=True)
    second = first.copy()
    second.set_cell([9.9, 9.9, 9.9], scale_atoms=True)
    displacements = Displacements(first, 1.0, remove_drift=False)
    displacements.add(second)
    rows = next(displacements.tracks.rows("Ar"))[1]
    assert np.abs(rows[:, 1]).max() < 0.02


@pytest.mark.parametrize("remove", [True, False])
def test_drift_of_the_centre_of_mass(remove: bool) -> None:
    first = Atoms("HO", positions=[[0, 0, 0], [1, 0, 0]])
    first.set_velocities([[0.1, 0, 0], [0.1, 0, 0]])
    displacements, velocities = Displacements(first, 1.0, remove_drift=remove), Velocities(first, 1.0, remove)
    moved = first.copy()
    moved.positions += [5.0, 0, 0]
    displacements.add(moved)
    velocities.add(moved)
    assert next(displacements.tracks.rows("H"))[1][0, 1] == pytest.approx(0.0 if remove else 5.0)
    assert next(velocities.tracks.rows("O"))[1][0, 0] == pytest.approx(0.0 if remove else 0.1 * units.fs, rel=1e-6)


def test_drift_of_a_single_atom_is_its_motion() -> None:
    displacements = Displacements(Atoms("H", positions=[[0, 0, 0]]), 1.0)
    displacements.add(Atoms("H", positions=[[2.0, 0, 0]]))
    assert next(displacements.tracks.rows("H"))[1][0, 1] == 2.0


def test_memory_drops_atoms_not_times() -> None:
    vectors = walk(100, 30, 0.1, 8)
    tracks = Tracks(Atoms("H20O10").numbers, 12 * 30 * 40 / 2**30)
    for frame in vectors:
        tracks.add(frame)
    assert tracks.is_thinned and len(tracks) == 100
    assert tracks.atoms.tolist() == [0, 4, 8, 12, 16, 20, 24, 28]
    for atoms, rows in tracks.rows("O"):
        assert atoms.tolist() == [20, 24, 28]
        np.testing.assert_allclose(rows, vectors[:, atoms].reshape(100, -1).T, atol=1e-5)


def test_memory_that_never_suffices() -> None:
    tracks = Tracks(Atoms("HO").numbers, 24 * 3 / 2**30)
    with pytest.raises(InputError, match="do not hold 4 frames"):
        for _ in range(4):
            tracks.add(np.zeros((2, 3)))
    with pytest.raises(InputError, match="more than 0 GiB"):
        Tracks(Atoms("HO").numbers, 0.0)


def test_other_atoms_are_refused() -> None:
    displacements = Displacements(Atoms("HO"), 1.0)
    with pytest.raises(StructureError, match="expected 2 atoms as in the first frame, found 3"):
        displacements.add(Atoms("HOO"))
    with pytest.raises(StructureError, match="atom 0 was H and is O"):
        displacements.add(Atoms("OH"))
    with pytest.raises(StructureError, match=r"expected velocities \(momenta\), found none"):
        Velocities(Atoms("HO"), 1.0)


# --- vibrations ---


def oscillators(frequencies: list[float], frames: int, interval: float) -> np.ndarray:
    """Return velocities of one-dimensional oscillators (THz, fs)."""
    phases = np.random.default_rng(4).random(len(frequencies)) * 2 * np.pi
    times = np.arange(frames) * interval * 1e-3
    vectors = np.zeros((frames, len(frequencies), 3))
    vectors[:, :, 0] = np.cos(2 * np.pi * np.outer(times, frequencies) + phases)
    return vectors


def test_oscillators_give_their_peaks() -> None:
    interval = 2.0
    tracks = tracks_of(oscillators([20.0, 60.0], 8000, interval), "OH")
    found = vibrations(tracks, np.array([16.0, 1.0]), interval)
    assert found.lags[-1] == pytest.approx(2500.0) and found.resolution == pytest.approx(0.4)
    for symbol, frequency in (("O", 20.0), ("H", 60.0)):
        peak = found.frequencies[np.argmax(found.density[symbol])]
        assert peak == pytest.approx(frequency, abs=0.15)
        above = found.density[symbol] > 0.5 * found.density[symbol].max()
        width = above.sum() * (found.frequencies[1] - found.frequencies[0])
        assert width == pytest.approx(found.resolution, rel=0.3)
    assert found.frequencies[-1] == pytest.approx(250.0)
    assert found.wave_numbers[-1] == pytest.approx(250.0 * 33.35641, rel=1e-6)
    np.testing.assert_allclose(found.density["O"] + found.density["H"], found.density["all"], atol=1e-12)
    spacing = found.frequencies[1]
    parts = {name: (each.sum() - 0.5 * (each[0] + each[-1])) * spacing for name, each in found.density.items()}
    assert parts["all"] == pytest.approx(1.0)
    assert parts["O"] == pytest.approx(16 / 17, rel=1e-2)
    np.testing.assert_allclose(found.correlation["H"][:50], np.cos(2 * np.pi * 60e-3 * found.lags[:50]), atol=5e-3)


def test_temperature_from_the_velocities() -> None:
    masses = np.array([1.0, 16.0] * 200)
    kelvin = 350.0
    atoms = Atoms("HO" * 200)
    atoms.set_masses(masses)
    tracks = Tracks(atoms.numbers, 1.0)
    rng = np.random.default_rng(6)
    for _ in range(64):
        momenta = rng.normal(size=(400, 3)) * np.sqrt(masses * units.kB * kelvin)[:, None]
        tracks.add(momenta / masses[:, None] * units.fs)
    found = vibrations(tracks, masses, 1.0)
    for name in ("H", "O", "all"):
        assert found.temperature[name] == pytest.approx(kelvin, rel=0.02)
        assert found.correlation[name][0] == 1.0 and abs(found.correlation[name][1]) < 0.05


def test_bad_lags() -> None:
    tracks = tracks_of(np.ones((40, 2, 3)), "H2")
    with pytest.raises(InputError, match="at most the run"):
        vibrations(tracks, np.ones(2), 1.0, longest=1.0)
    with pytest.raises(InputError, match="expected velocities, found only zeros"):
        vibrations(tracks_of(np.zeros((40, 2, 3)), "H2"), np.ones(2), 1.0)


def test_fixed_atoms_count_neither_in_temperatures_nor_as_drift() -> None:
    atoms = Atoms("H4", positions=np.eye(4)[:, :3], momenta=np.ones((4, 3)))
    atoms.set_constraint(FixAtoms([0, 1]))
    velocities = Velocities(atoms, 1.0)
    for _ in range(40):
        velocities.add(atoms)
    found = vibrations(velocities.tracks, velocities.masses, 1.0, fixed=velocities.fixed)
    assert found.temperature["H"] == pytest.approx(atoms.get_temperature(), rel=1e-6)
    assert found.temperature["all"] == pytest.approx(atoms.get_temperature(), rel=1e-6)

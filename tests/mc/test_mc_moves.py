"""Moves of single atoms: local energies, neighbour lists, and the state of a chain."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from ase import Atoms
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import Potential
from fastsf.errors import InputError, StructureError
from fastsf.mc import Displacement, MonteCarlo, Swap, VolumeChange

NEVER = 10**9
SWAP = Swap(("H", "O"))


@pytest.fixture(scope="module")
def potential() -> Potential:
    return random_potential()


def atoms_of(engine: MonteCarlo) -> Atoms:
    frame = engine.frame()
    return Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=frame.pbc)


def check_energy(engine: MonteCarlo, potential: Potential) -> None:
    """Compare the running energy with an evaluation with pairs of other code."""
    expected = potential.evaluate(atoms_of(engine))
    np.testing.assert_allclose(engine.frame().energy, expected.energy, rtol=1e-12)
    assert engine.frame().columns["extrapolations"] == expected.outside.sum()


def water(n: int = 2) -> Atoms:
    """Return a dense periodic mixture, larger than the cutoff."""
    return SYSTEMS["triclinic"]().repeat(n)


@pytest.mark.parametrize("name", SYSTEMS)
def test_local_energies_are_those_of_a_full_evaluation(name, potential) -> None:
    atoms = SYSTEMS[name]()
    both = {1, 8} <= set(atoms.numbers.tolist())
    moves = [Displacement(0.15), *([SWAP] if both else [])]
    engine = MonteCarlo(potential, atoms, 150.0, moves, skin=0.5, compare_every=NEVER, seed=1)
    done = engine.advance(3000, 1000)
    assert done.steps == 3000 and done.halt is None and len(done.rows) == 3
    check_energy(engine, potential)
    rate = engine.frame().columns["displacement: rate"]
    assert 0.2 < rate < 1.0 or len(atoms) == 1  # both ways to end a move were taken


def test_atoms_come_from_afar(potential) -> None:
    engine = MonteCarlo(potential, water(), 1e6, [Displacement(0.12), SWAP], skin=0.25, compare_every=NEVER)
    start = atoms_of(engine).positions
    for _ in range(4):
        engine.advance(3000, NEVER)
        check_energy(engine, potential)
    assert np.linalg.norm(atoms_of(engine).positions - start, axis=1).max() > 0.9


def test_energies_are_compared(potential) -> None:
    engine = MonteCarlo(potential, water(), 300.0, [Displacement(0.15), SWAP], compare_every=500)
    column = [column.name for column in engine.columns].index("energy error")
    done = engine.advance(3000, 100)
    assert done.halt is None and 0 < np.abs(done.rows[:, column]).max() < 1e-9
    engine._walker.chain.total[0] += 1e-3  # such a mistake must not stay unnoticed
    done = engine.advance(3000, 100)
    assert done.steps == 500 and done.halt is not None and done.halt.reason == "energy"


def everything(potential: Potential, threads: int = 1, seed: int = 3) -> MonteCarlo:
    moves = [Displacement(0.1), SWAP, Displacement(0.2, ("S",), 2.0), VolumeChange(weight=2), VolumeChange(axes=True)]
    options = {"pressure": 1000.0, "ramp": 700, "equilibration": 650, "compare_every": 300, "skin": 0.6}
    return MonteCarlo(potential, water(), (200.0, 400.0), moves, seed=seed, threads=threads, **options)


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def test_cutting_a_run_changes_nothing(potential) -> None:
    whole, cut = everything(potential), everything(potential)
    rows = whole.advance(1300, 50).rows
    parts = [cut.advance(steps, 50).rows for steps in (1, 49, 251, 349, 3, 647)]
    np.testing.assert_array_equal(rows, np.concatenate(parts))
    assert same(whole.state(), cut.state())


def test_other_rows_change_nothing(potential) -> None:
    one, other = everything(potential), everything(potential)
    one.advance(900, 7)
    other.advance(900, 450)
    assert same(one.state(), other.state())


def test_a_restart_changes_nothing(potential) -> None:
    engine = everything(potential)
    engine.advance(777, 100)
    state = engine.state()
    expected = engine.advance(600, 10).rows
    again = everything(potential, seed=4)
    again.advance(55, 10)
    again.restore(state)
    np.testing.assert_array_equal(again.advance(600, 10).rows, expected)
    assert same(again.state(), engine.state())


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="only one thread to be had")
def test_threads_change_nothing(potential) -> None:
    one, two = everything(potential), everything(potential, threads=2)
    np.testing.assert_array_equal(one.advance(700, 50).rows, two.advance(700, 50).rows)
    assert same(one.state(), two.state())


def test_the_seed_matters(potential) -> None:
    one, other = everything(potential), everything(potential, seed=5)
    one.advance(10, 10)
    other.advance(10, 10)
    assert not same(one.state(), other.state())
    assert one.identity()["seed"] == 3 and other.identity()["seed"] == 5


def test_only_some_atoms_move(potential) -> None:
    atoms = water()
    fixed = [0, 5, 17]
    engine = MonteCarlo(potential, atoms, 9000.0, [Displacement(0.1, ("O",))], fixed=fixed)
    engine.advance(1500, 1500)
    moved = (atoms_of(engine).positions != atoms.positions).any(axis=1)
    expected = atoms.numbers == 8
    expected[fixed] = False
    np.testing.assert_array_equal(moved, expected)


def test_atoms_keep_their_elements(potential) -> None:
    atoms = water()
    engine = MonteCarlo(potential, atoms, 1000.0, [SWAP, Swap(("O", "S"))])
    engine.advance(2000, 2000)
    found = atoms_of(engine)
    np.testing.assert_array_equal(found.numbers, atoms.numbers)
    assert (found.positions != atoms.positions).any(axis=1).sum() > 10
    assert sorted(map(tuple, found.positions)) == sorted(map(tuple, atoms.positions))
    check_energy(engine, potential)


def test_nothing_goes_up_without_heat(potential) -> None:
    engine = MonteCarlo(potential, water(), 1e-6, [Displacement(0.1), SWAP], compare_every=NEVER)
    energies = engine.advance(1000, 1).rows[:, 3]
    assert (np.diff(energies) <= 1e-9).all() and energies[-1] < energies[0]


def test_steps_are_adapted_and_then_fixed(potential) -> None:
    moves = [Displacement(0.02, target=0.5), VolumeChange(0.3, weight=20, target=0.3)]
    engine = MonteCarlo(potential, water(1), 50.0, moves, pressure=500.0, equilibration=4000)
    names = [column.name for column in engine.columns]
    rows = engine.advance(9000, 1000).rows
    for name, target in (("displacement", 0.5), ("volume", 0.3)):
        steps = rows[:, names.index(f"{name}: step")]
        assert steps[0] != steps[2] and (steps[4:] == steps[3]).all()
        assert abs(rows[-1, names.index(f"{name}: rate")] - target) < 0.15
    tried = rows[:, [names.index("displacement: tried"), names.index("volume: tried")]].sum(axis=1)
    assert tried[3] == 0 and tried[-1] == 5000


def test_temperatures_follow_a_ramp(potential) -> None:
    rows = MonteCarlo(potential, water(1), (100.0, 300.0), ramp=200).advance(300, 50).rows
    np.testing.assert_allclose(rows[:, 2], [150, 200, 250, 300, 300, 300])


def test_energies_that_are_not_finite(potential) -> None:
    engine = MonteCarlo(potential, water(1), 300.0, [Displacement(0.1)])
    engine._walker.chain.energies[:] = -np.inf
    done = engine.advance(10, 1)
    assert done.steps == 0 and done.halt is not None and done.halt.reason == "not finite"
    assert len(done.rows) == 0


@pytest.mark.parametrize(
    "options, message",
    [
        ({"temperature": 0.0}, "above 0 K, found 0.0"),
        ({"temperature": (300.0, 400.0)}, "ramp: expected the number of moves"),
        ({"moves": []}, "at least one kind"),
        ({"moves": [Displacement(), Displacement(0.3)]}, "once, found displacement, displacement"),
        ({"moves": [Displacement(0.6)]}, "up to 0.49, 0.49 of the skin, found 0.6"),
        ({"moves": [Displacement(target=1.0)]}, "rate of acceptance"),
        ({"moves": [Displacement(weight=-1.0)]}, "weights"),
        ({"moves": [Swap(("H", "H"))]}, "two different elements"),
        ({"moves": [Swap(("H", "Au"))]}, "no atom of Au may move; expected some of H, O, S"),
        ({"moves": [VolumeChange()], "fixed": [1]}, "volume cannot change with fixed"),
        ({"fixed": range(8)}, "expected atoms that may move"),
        ({"fixed": [8]}, "indices of 8 atoms, found 8 to 8"),
        ({"skin": 0.0}, "skin above 0"),
        ({"compare_every": 0}, "compare_every: expected at least 1"),
        ({"pressure": float("nan")}, "finite pressure"),
    ],
)
def test_bad_input(options, message, potential) -> None:
    arguments = {"temperature": 300.0, **options}
    with pytest.raises(InputError, match=message):
        MonteCarlo(potential, water(1), **arguments)


def test_bad_structures(potential) -> None:
    with pytest.raises(InputError, match="volume changes need three periodic directions, found 2"):
        MonteCarlo(potential, SYSTEMS["slab"](), 300.0, [VolumeChange()])
    with pytest.raises(StructureError, match="Au"):
        MonteCarlo(potential, Atoms("Au"), 300.0)

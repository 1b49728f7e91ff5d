"""Molecular dynamics with pair-centred energies: the steps of ASE, divided anywhere, on any number of threads."""

from __future__ import annotations

from functools import cache

import numba
import numpy as np
import pytest
from ase import units
from ase.md.verlet import VelocityVerlet
from support.dynamics import BAROSTAT, STEP, same_state, simulation, warm, with_calculator
from support.pcsf_potentials import mixed_potential, pair_potential

from fastsf import InputError, Potential
from fastsf.mc import MonteCarlo
from fastsf.md import NVE, Langevin


@cache
def potential(with_atoms: bool = False) -> Potential:
    return mixed_potential() if with_atoms else pair_potential()


@pytest.mark.parametrize("name", ["molecule", "triclinic", "slab", "cell_much_smaller_than_cutoff"])
@pytest.mark.parametrize("with_atoms", [False, True])
def test_velocity_verlet_of_ase(name: str, with_atoms: bool) -> None:
    own, atoms = potential(with_atoms), warm(name)
    ours, theirs = simulation(own, atoms, NVE(), remove_drift=False), with_calculator(own, atoms)
    dynamics = VelocityVerlet(theirs, STEP * units.fs)
    for _ in range(4):
        ours.advance(10, 1)
        dynamics.run(10)
        frame = ours.frame()
        np.testing.assert_allclose(frame.positions, theirs.positions, rtol=1e-12, atol=1e-11)
        np.testing.assert_allclose(frame.forces, theirs.get_forces(), rtol=1e-9, atol=1e-10)
        assert frame.energy == pytest.approx(theirs.get_potential_energy(), abs=1e-10)
        assert frame.columns["extrapolations"] >= 0


def change_of_energy(envelope: str, steps: int) -> float:
    """Return the range of the total energy without thermostat, in ranges of the kinetic energy; pairs come and go."""
    md = simulation(pair_potential(envelope), warm("triclinic", (2, 2, 2), 600.0), NVE(), timestep=0.1)
    column = [each.name for each in md.columns].index("total energy")
    rows = md.advance(steps, 10).rows
    return float(np.ptp(rows[:, column]) / np.ptp(rows[:, column - 2]))


def test_energy_is_conserved() -> None:
    assert change_of_energy("fc", 1500) < 2e-4
    assert change_of_energy("shift", 500) < 1e-3


def test_energy_jumps_where_pairs_end_as_published() -> None:
    assert change_of_energy("none", 300) > 0.3


def test_a_run_may_be_cut_anywhere() -> None:
    start = warm("triclinic")
    whole, cut = (simulation(potential(True), start, BAROSTAT, seed=4) for _ in range(2))
    whole.advance(60, 10)
    cut.advance(23, 10)
    again = simulation(potential(True), start, BAROSTAT, seed=4)
    again.restore(cut.state())
    again.advance(37, 10)
    assert same_state(whole, again)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="only one thread to be had")
def test_threads_do_not_matter() -> None:
    start = warm("triclinic", (2, 2, 4))
    one, two = (simulation(potential(True), start, Langevin(300.0, 0.01), threads=threads) for threads in (1, 2))
    for md in (one, two):
        md.advance(30, 10)
    assert same_state(one, two)


def test_what_a_run_is_known_by() -> None:
    start = warm("molecule")
    known = simulation(potential(), start, NVE()).identity()["potential"]
    assert known == simulation(pair_potential(), start, NVE()).identity()["potential"]
    for other in (pair_potential(seed=5), pair_potential("none"), potential(True)):
        assert simulation(other, start, NVE()).identity()["potential"] != known


def test_monte_carlo_is_refused() -> None:
    with pytest.raises(InputError, match="Monte Carlo has no update for pair-centred energies"):
        MonteCarlo(potential(), warm("molecule"), 300.0)

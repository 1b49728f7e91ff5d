"""Molecular dynamics: the steps of ASE, any division into calls, restarts, threads, fixed atoms, and halts."""

import json

import numpy as np
import pytest
from ase import Atoms, units
from ase.constraints import FixAtoms, FixBondLength
from ase.md.langevinbaoab import LangevinBAOAB
from ase.md.nose_hoover_chain import NoseHooverChainNVT
from ase.md.verlet import VelocityVerlet
from support.dynamics import BAROSTAT, STEP, same_state, simulation, warm, with_calculator
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import InputError
from fastsf.md import (
    NVE,
    Bussi,
    Integrator,
    Langevin,
    Limits,
    NoseHooverChain,
    Ramp,
    StochasticCellRescaling,
)

INTEGRATORS = {
    "NVE": NVE(),
    "Langevin": Langevin(300.0, 0.01),
    "ramp": Langevin(Ramp(300.0, 600.0, 30), 0.01),
    "Bussi": Bussi(300.0, 20.0),
    "NoseHooverChain": NoseHooverChain(Ramp(300.0, 500.0, 15), 20.0),
    "isotropic": BAROSTAT,
    "anisotropic": StochasticCellRescaling(Langevin(300.0, 0.01), 1000.0, time=500.0, shape="anisotropic"),
    "axes": StochasticCellRescaling(Bussi(300.0), 1000.0, time=500.0, shape="xz"),
}


@pytest.fixture(scope="module")
def potential():
    return random_potential()


# --- the steps of ASE ---


@pytest.mark.parametrize("name", ["molecule", "triclinic", "slab", "cell_much_smaller_than_cutoff", "unwrapped"])
def test_velocity_verlet_of_ase(potential, name: str) -> None:
    atoms = warm(name)
    ours, theirs = simulation(potential, atoms, NVE(), remove_drift=False), with_calculator(potential, atoms)
    dynamics = VelocityVerlet(theirs, STEP * units.fs)
    for _ in range(5):
        ours.advance(10, 1)
        dynamics.run(10)
        frame = ours.frame()
        np.testing.assert_allclose(frame.positions, theirs.positions, rtol=1e-12, atol=1e-11)
        np.testing.assert_allclose(frame.velocities, theirs.get_velocities() * units.fs, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(frame.forces, theirs.get_forces(), rtol=1e-9, atol=1e-10)
        assert frame.energy == pytest.approx(theirs.get_potential_energy(), abs=1e-10)
        assert frame.columns["temperature"] == pytest.approx(theirs.get_temperature(), rel=1e-9)


def test_langevin_of_ase_with_the_same_noise(potential) -> None:
    atoms, friction = warm(), 0.02
    ours = simulation(potential, atoms, Langevin(400.0, friction), seed=5, remove_drift=False)
    theirs = with_calculator(potential, atoms)
    LangevinBAOAB(
        theirs, STEP * units.fs, temperature_K=400.0, T_tau=units.fs / friction, rng=np.random.default_rng(5)
    ).run(40)
    ours.advance(40, 10)
    np.testing.assert_allclose(ours.frame().positions, theirs.positions, rtol=0, atol=1e-11)
    np.testing.assert_allclose(ours.frame().velocities, theirs.get_velocities() * units.fs, rtol=0, atol=1e-12)


def test_nose_hoover_chain_of_ase(potential) -> None:
    atoms = warm()
    ours, theirs = (
        simulation(potential, atoms, NoseHooverChain(400.0, 20.0), remove_drift=False),
        with_calculator(potential, atoms),
    )
    dynamics = NoseHooverChainNVT(theirs, STEP * units.fs, temperature_K=400.0, tdamp=20 * units.fs)
    dynamics.run(40)
    row = ours.advance(40, 40).rows[0]
    np.testing.assert_allclose(ours.frame().positions, theirs.positions, rtol=0, atol=1e-11)
    names = [column.name for column in ours.columns]
    assert row[names.index("conserved energy")] == pytest.approx(dynamics.get_conserved_energy(), abs=1e-10)


def test_pressure_and_stress_of_ase(potential) -> None:
    atoms = warm()
    ours, theirs = simulation(potential, atoms, NVE()), with_calculator(potential, atoms)
    theirs.set_momenta(theirs.get_momenta())
    stress = theirs.get_stress(include_ideal_gas=True) / units.bar
    columns = ours.frame().columns
    assert [columns[f"stress {name}"] for name in ("xx", "yy", "zz", "yz", "xz", "xy")] == pytest.approx(stress)
    assert columns["pressure"] == pytest.approx(-stress[:3].mean())
    assert columns["volume"] == pytest.approx(theirs.get_volume())


# --- the same to the last bit ---


@pytest.mark.parametrize("integrator", INTEGRATORS.values(), ids=list(INTEGRATORS))
def test_cuts_and_restarts_change_no_bit(potential, integrator: Integrator) -> None:
    atoms = warm("triclinic", (2, 1, 1))
    whole, cut = (simulation(potential, atoms, integrator, seed=3, skin=0.1) for _ in range(2))
    rows = whole.advance(40, 3).rows
    parts = [cut.advance(steps, 3).rows for steps in (1, 0, 12, 4)]
    again = simulation(potential, atoms, integrator, seed=3, skin=0.1)
    again.advance(7, 1)
    again.restore(cut.state())
    parts.append(again.advance(23, 3).rows)
    assert np.array_equal(np.concatenate(parts), rows)
    assert same_state(whole, again)
    assert np.array_equal(rows[:, 0], np.arange(3, 40, 3))


@pytest.mark.parametrize("integrator", [NVE(), BAROSTAT], ids=["NVE", "NPT"])
def test_threads_change_no_bit(potential, integrator: Integrator) -> None:
    atoms = warm("triclinic", (3, 3, 2))
    one, two = (simulation(potential, atoms, integrator, threads=threads, skin=0.1) for threads in (1, 2))
    one.advance(10, 1)
    two.advance(10, 1)
    assert same_state(one, two)


def test_the_skin_changes_rounding_only(potential) -> None:
    atoms = warm("triclinic", (2, 1, 1), 600.0)
    ends = []
    for skin in (0.0, 0.3, 2.0):
        md = simulation(potential, atoms, INTEGRATORS["anisotropic"], skin=skin)
        md.advance(60, 1)
        ends.append(md.frame())
    for end in ends[1:]:
        np.testing.assert_allclose(end.positions, ends[0].positions, rtol=0, atol=1e-9)
        np.testing.assert_allclose(end.cell, ends[0].cell, rtol=0, atol=1e-9)


@pytest.mark.parametrize("integrator", [Langevin(300.0), BAROSTAT], ids=["NVT", "NPT"])
def test_frames_are_consistent(potential, integrator: Integrator) -> None:
    md = simulation(potential, warm(), integrator)
    md.advance(25, 10)
    frame = md.frame()
    atoms = Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=frame.pbc)
    result = potential.evaluate(atoms)
    np.testing.assert_allclose(frame.forces, result.forces, rtol=0, atol=1e-10)
    assert frame.energy == pytest.approx(result.energy, abs=1e-10)
    assert (frame.step, frame.time) == (25, 12.5)


def test_identity_is_plain_and_tells_runs_apart(potential) -> None:
    atoms = warm()
    one = simulation(potential, atoms, INTEGRATORS["axes"])
    before = one.identity()
    one.advance(3, 1)
    assert json.loads(json.dumps(one.identity())) == one.identity() == before
    others = [
        simulation(potential, warm(kelvin=200.0), INTEGRATORS["axes"]),
        simulation(potential, atoms, BAROSTAT),
        simulation(potential, atoms, INTEGRATORS["axes"], seed=1),
        simulation(potential, atoms, INTEGRATORS["axes"], timestep=0.25),
        simulation(random_potential(seed=2), atoms, INTEGRATORS["axes"]),
    ]
    for other in others:
        assert other.identity() != before


# --- fixed atoms, drift, degrees of freedom ---


def test_fixed_atoms_stay(potential) -> None:
    atoms = warm()
    atoms.set_constraint(FixAtoms([0]))
    md = simulation(potential, atoms, Langevin(300.0, 0.1), fixed=[2])
    assert md.freedom == 3 * (len(atoms) - 2)
    md.advance(20, 1)
    moved = np.abs(md.frame().positions - atoms.positions).max(axis=1)
    assert np.array_equal(np.flatnonzero(moved == 0), [0, 2])
    assert not md.frame().velocities[[0, 2]].any()
    assert md.frame().forces[[0, 2]].any()


def test_fixed_atoms_move_the_others_as_in_ase(potential) -> None:
    atoms = warm()
    atoms.set_constraint(FixAtoms([1, 3]))
    ours, theirs = simulation(potential, atoms, NVE()), with_calculator(potential, atoms)
    ours.advance(30, 1)
    VelocityVerlet(theirs, STEP * units.fs).run(30)
    np.testing.assert_allclose(ours.frame().positions, theirs.positions, rtol=0, atol=1e-11)


@pytest.mark.parametrize("remove", [True, False])
def test_the_centre_of_mass(potential, remove: bool) -> None:
    atoms = warm()
    atoms.set_momenta(atoms.get_momenta() + 0.1 * atoms.get_masses()[:, None])
    md = simulation(potential, atoms, Langevin(300.0, 0.05), remove_drift=remove)
    assert md.freedom == 3 * len(atoms) - 3 * remove
    md.advance(20, 1)
    drift = atoms.get_masses() @ md.frame().velocities / atoms.get_masses().sum()
    assert (np.abs(drift).max() < 1e-15) == remove


def test_masks_and_indices_mean_the_same(potential) -> None:
    atoms = warm()
    mask = np.zeros(len(atoms), bool)
    mask[[1, -1]] = True
    ends = []
    for fixed in (mask, [1, -1]):
        md = simulation(potential, atoms, NVE(), fixed=fixed)
        md.advance(5, 1)
        ends.append(md.frame().positions)
    assert np.array_equal(*ends)


def test_a_ramp_heats(potential) -> None:
    md = simulation(potential, warm("triclinic", (2, 2, 1)), Bussi(Ramp(300.0, 900.0, 200), 5.0))
    rows = md.advance(400, 1).rows
    temperature = rows[:, [column.name for column in md.columns].index("temperature")]
    assert temperature[200:].mean() == pytest.approx(900.0, rel=0.25)
    assert temperature[:20].mean() < 600.0


# --- halts ---


def test_an_exploding_system_halts_before_it_moves(potential) -> None:
    atoms = warm()
    atoms.set_momenta(0 * atoms.get_momenta())
    momenta = atoms.get_momenta()
    momenta[2] = 2.5 * atoms.get_masses()[2]
    atoms.set_momenta(momenta)
    limits = Limits(temperature=1e9, move=0.1)
    done = simulation(potential, atoms, NVE(), limits=limits, remove_drift=False).advance(10, 1)
    assert done.steps == 0
    assert done.halt.reason == "lost"
    assert "atom 2" in done.halt.message


def test_heat_halts(potential) -> None:
    md = simulation(potential, warm(kelvin=900.0), NVE(), limits=Limits(temperature=50.0))
    done = md.advance(10, 1)
    assert (done.halt.reason, done.halt.step, done.steps) == ("temperature", 0, 0)
    assert "50 K" in done.halt.message


def test_extrapolations_are_counted_and_halt(potential) -> None:
    counted = simulation(potential, warm(kelvin=900.0), NVE())
    counted.advance(40, 1)
    total = counted.frame().columns["extrapolations"]
    assert total > 1
    md = simulation(potential, warm(kelvin=900.0), NVE(), limits=Limits(extrapolations=1))
    done = md.advance(40, 1)
    assert done.halt.reason == "extrapolation"
    assert 1 < md.frame().columns["extrapolations"] <= total
    assert len(done.rows) == done.steps < 40


def test_atoms_that_fly_away_are_lost(potential) -> None:
    atoms = Atoms("OH", positions=[[0, 0, 0], [0, 0, 9.0]])
    atoms.set_velocities([[0, 0, 0], [0, 0, 0.4 / units.fs]])
    md = simulation(potential, atoms, NVE(), limits=Limits(temperature=1e9, escape=10.0), remove_drift=False)
    done = md.advance(1000, 100)
    assert done.halt.reason == "lost"
    assert done.halt.step == pytest.approx(50, abs=2)
    assert "atom 1 (H)" in done.halt.message


def test_a_collapsing_cell_halts(potential) -> None:
    integrator = StochasticCellRescaling(Bussi(300.0), 1e6, time=10_000.0)
    done = simulation(potential, warm(), integrator, limits=Limits(cell=1.2, temperature=1e6)).advance(5000, 100)
    assert done.halt.reason == "cell"
    assert "thick" in done.halt.message
    hasty = StochasticCellRescaling(Bussi(300.0), 1e6, time=0.1)
    done = simulation(potential, warm(), hasty).advance(10, 1)
    assert (done.halt.reason, done.steps) == ("cell", 0)


def test_what_is_not_finite_halts(potential) -> None:
    md = simulation(potential, warm(), NVE())
    md.advance(3, 1)
    state = md.state()
    state["forces"][1, 2] = np.nan
    md.restore(state)
    done = md.advance(5, 1)
    assert (done.halt.reason, done.halt.step, done.steps) == ("not finite", 3, 0)


# --- refusals ---


@pytest.mark.parametrize("timestep", [0.0, -1.0, np.nan, np.inf, 1000.0, "1"])
def test_absurd_timesteps_are_refused(potential, timestep) -> None:
    with pytest.raises(InputError, match="timestep"):
        simulation(potential, warm(), NVE(), timestep=timestep)


def test_wrong_arguments_are_refused(potential) -> None:
    cold, bonded = SYSTEMS["triclinic"](), warm()
    bonded.set_constraint(FixBondLength(0, 1))
    cases = [
        (cold, Bussi(300.0), {}, "maxwell_boltzmann"),
        (bonded, NVE(), {}, "FixBondLength"),
        (warm(), NVE(), {"fixed": range(len(cold))}, "nothing can move"),
        (warm(), NVE(), {"fixed": [99]}, "indices"),
        (warm(), NVE(), {"fixed": [0], "remove_drift": True}, "remove_drift"),
        (warm(), BAROSTAT, {"fixed": [0]}, "barostat"),
        (warm("slab"), BAROSTAT, {}, "periodic"),
        (warm(), Langevin(20_000.0), {}, "limit"),
        (warm(), "NVE", {}, "integrator"),
        (warm(), NVE(), {"skin": -1.0}, "skin"),
        (warm(), NVE(), {"threads": 0}, "thread"),
    ]
    for atoms, integrator, options, words in cases:
        with pytest.raises(InputError, match=words):
            simulation(potential, atoms, integrator, **options)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Langevin(-1.0),
        lambda: Langevin(300.0, 0.0),
        lambda: Bussi(300.0, np.inf),
        lambda: NoseHooverChain(300.0, links=0),
        lambda: Ramp(300.0, 400.0, 0),
        lambda: StochasticCellRescaling(NVE()),
        lambda: StochasticCellRescaling(Bussi(300.0), np.nan),
        lambda: StochasticCellRescaling(Bussi(300.0), shape="w"),
        lambda: Limits(temperature=0.0),
        lambda: Limits(extrapolations=-1),
    ],
)
def test_integrators_and_limits_are_checked(make) -> None:
    with pytest.raises(InputError, match="expected"):
        make()

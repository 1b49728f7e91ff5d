"""Distributions of thermostats and barostats against exact ones, with seeds and margins of five standard errors."""

import numpy as np
import pytest
from ase import Atoms, units
from scipy import stats

from fastsf import ACSF, G2, Cutoff, Potential
from fastsf.md import (
    Bussi,
    Integrator,
    Langevin,
    Limits,
    MolecularDynamics,
    NoseHooverChain,
    StochasticCellRescaling,
    maxwell_boltzmann,
)
from fastsf.potentials.network import Network
from fastsf.potentials.scaling import Scaling

KELVIN = 200.0
STEP = 4.0  # fs
RARE = 1e-6
"""Probability with which a test may fail where rounding differs from here."""


def soft(strength: float) -> Potential:
    """Return a potential with a Gaussian repulsion between atoms; without strength, an ideal gas."""
    descriptor = ACSF([G2("Ar", "Ar", 0.6, Cutoff(3.5, "poly4"))], threads=1)
    network = Network([[[strength]]], [[0.0]], ("linear",))
    return Potential(descriptor, {"Ar": network}, {"Ar": Scaling.from_values(np.array([[0.0], [10.0]]), "none")})


def fluid(edge: float = 7.5) -> Atoms:
    """Return 27 atoms with three masses."""
    sites = np.argwhere(np.ones((3, 3, 3))) * edge / 3
    atoms = Atoms("Ar27", positions=sites, cell=[edge] * 3, pbc=True)
    atoms.set_masses(np.resize([10.0, 40.0, 90.0], 27))
    maxwell_boltzmann(atoms, KELVIN, seed=1)
    return atoms


def column(md: MolecularDynamics, rows: np.ndarray, name: str) -> np.ndarray:
    return rows[:, [each.name for each in md.columns].index(name)]


def agrees(values: np.ndarray, law: stats.rv_continuous) -> None:
    """Check mean and distribution of independent values."""
    error = law.std() / np.sqrt(len(values))
    assert abs(values.mean() - law.mean()) < 5 * error
    assert stats.kstest(values, law.cdf).pvalue > RARE


THERMOSTATS = {
    "Langevin": Langevin(KELVIN, 0.02),
    "Bussi": Bussi(KELVIN, 40.0),
    "NoseHooverChain": NoseHooverChain(KELVIN, 60.0),
}


@pytest.mark.parametrize("thermostat", THERMOSTATS.values(), ids=list(THERMOSTATS))
def test_kinetic_energies_are_canonical(thermostat: Integrator) -> None:
    md = MolecularDynamics(soft(0.05), fluid(), thermostat, STEP, seed=2, threads=1, skin=3.0)
    md.advance(2000, 2000)
    kinetic = column(md, md.advance(15_000, 50).rows, "kinetic energy")
    assert md.freedom == 78
    agrees(2 * kinetic / (units.kB * KELVIN), stats.chi2(78))


def test_kinetic_energies_with_fixed_atoms_are_canonical() -> None:
    langevin, options = Langevin(KELVIN, 0.02), {"fixed": range(20), "seed": 3, "threads": 1, "skin": 3.0}
    md = MolecularDynamics(soft(0.05), fluid(), langevin, STEP, **options)
    md.advance(2000, 2000)
    rows = md.advance(15_000, 50).rows
    agrees(2 * column(md, rows, "kinetic energy") / (units.kB * KELVIN), stats.chi2(21))
    assert column(md, rows, "temperature").mean() == pytest.approx(KELVIN, rel=5 * np.sqrt(2 / 21 / 300))


def test_drifting_atoms_have_three_degrees_more() -> None:
    langevin, options = Langevin(KELVIN, 0.02), {"seed": 4, "threads": 1, "skin": 3.0, "remove_drift": False}
    md = MolecularDynamics(soft(0.05), fluid(), langevin, STEP, **options)
    md.advance(2000, 2000)
    kinetic = column(md, md.advance(15_000, 50).rows, "kinetic energy")
    agrees(2 * kinetic / (units.kB * KELVIN), stats.chi2(81))


@pytest.mark.parametrize("thermostat", THERMOSTATS.values(), ids=list(THERMOSTATS))
def test_energy_is_shared_equally(thermostat: Integrator) -> None:
    """With the centre of mass at rest, an atom has (3/2) k_B T (1 - m / M)."""
    atoms = fluid()
    md = MolecularDynamics(soft(0.05), atoms, thermostat, STEP, seed=5, threads=1, skin=3.0)
    md.advance(2000, 2000)
    masses, samples = atoms.get_masses(), []
    for _ in range(200):
        md.advance(50, 100)
        velocities = md.frame().velocities / units.fs
        samples.append(masses * (velocities**2).sum(axis=1) / (3 * units.kB * KELVIN) / (1 - masses / masses.sum()))
    shares = np.array(samples).reshape(200, 9, 3).mean(axis=1)  # atoms of one mass together
    assert np.abs(shares.mean(axis=0) - 1).max() < 6 * np.sqrt(2 / 3 / 9 / 200)


def test_volumes_of_an_ideal_gas() -> None:
    """p(V) is proportional to V^(N - 1) exp(-p V / k_B T), since the centre of mass is at rest."""
    n, pressure = 32, 40.0
    scale = units.kB * KELVIN / (pressure * units.bar)
    edge = (n * scale) ** (1 / 3)
    positions = np.random.default_rng(6).random((n, 3)) * edge
    atoms = Atoms(f"Ar{n}", positions=positions, cell=[edge] * 3, pbc=True)
    maxwell_boltzmann(atoms, KELVIN, seed=6)
    barostat = StochasticCellRescaling(Langevin(KELVIN, 0.02), pressure, 4000.0, 1 / pressure)
    limits = Limits(cell=4.0)
    md = MolecularDynamics(soft(0.0), atoms, barostat, STEP, seed=7, threads=1, skin=12.0, limits=limits)
    done = md.advance(100_000, 2000)
    assert done.halt is None
    agrees(column(md, done.rows, "volume")[1:], stats.gamma(n, scale=scale))


@pytest.mark.parametrize("shape", ["isotropic", "anisotropic", "xy"])
@pytest.mark.parametrize("thermostat", [Bussi(KELVIN, 100.0), Langevin(KELVIN, 0.01)], ids=["Bussi", "Langevin"])
def test_the_effective_energy_is_conserved(shape: str, thermostat: Bussi | Langevin) -> None:
    barostat = StochasticCellRescaling(thermostat, 2000.0, 1000.0, shape=shape)
    md = MolecularDynamics(soft(0.2), fluid(), barostat, 2.0, seed=8, threads=1, skin=3.0)
    rows = md.advance(3000, 10).rows
    total, conserved = (column(md, rows, name) for name in ("total energy", "conserved energy"))
    assert np.ptp(total) > 0.2
    assert np.ptp(conserved) < 0.02 * np.ptp(total)


@pytest.mark.parametrize("thermostat", THERMOSTATS.values(), ids=list(THERMOSTATS))
def test_the_conserved_energy_of_thermostats(thermostat: Integrator) -> None:
    md = MolecularDynamics(soft(0.2), fluid(), thermostat, 2.0, seed=9, threads=1, skin=3.0)
    rows = md.advance(3000, 10).rows
    total, conserved = (column(md, rows, name) for name in ("total energy", "conserved energy"))
    assert np.ptp(conserved) < 0.02 * np.ptp(total)


def test_axes_that_are_not_coupled_keep_their_length() -> None:
    atoms = fluid()
    barostat = StochasticCellRescaling(Bussi(KELVIN), 2000.0, 1000.0, shape="xz")
    md = MolecularDynamics(soft(0.2), atoms, barostat, 2.0, seed=10, threads=1, skin=3.0)
    md.advance(200, 200)
    lengths = md.frame().cell
    assert lengths[1, 1] == atoms.cell[1, 1]
    assert abs(lengths[0, 0] - lengths[2, 2]) > 1e-3
    assert not (lengths - np.diag(np.diag(lengths))).any()


def test_a_cell_whose_shape_changes_does_not_rotate() -> None:
    barostat = StochasticCellRescaling(Bussi(KELVIN), 2000.0, 1000.0, shape="anisotropic")
    md = MolecularDynamics(soft(0.2), fluid(), barostat, 2.0, seed=11, threads=1, skin=3.0)
    before = md.frame().cell
    md.advance(1, 1)
    strain = np.linalg.solve(before, md.frame().cell)
    assert np.allclose(strain, strain.T, rtol=0, atol=1e-15)
    assert abs(strain[0, 1]) > 1e-6


# --- velocities to begin with ---


def test_first_velocities() -> None:
    atoms = fluid()
    maxwell_boltzmann(atoms, 500.0, seed=3, exact=True)
    kinetic = atoms.get_kinetic_energy()
    assert 2 * kinetic / (78 * units.kB) == pytest.approx(500.0)
    np.testing.assert_allclose(atoms.get_momenta().sum(axis=0), 0, atol=1e-12)
    again = fluid()
    maxwell_boltzmann(again, 500.0, seed=3, exact=True)
    assert np.array_equal(atoms.get_momenta(), again.get_momenta())


@pytest.mark.parametrize("line", [False, True])
def test_first_velocities_without_rotation(line: bool) -> None:
    positions = np.random.default_rng(0).random((5, 3)) * 3
    if line:
        positions[:, 1:] = 0
    atoms = Atoms("H2OAr2", positions=positions)
    maxwell_boltzmann(atoms, 300.0, seed=1, remove_rotation=True, exact=True)
    assert np.abs(atoms.get_angular_momentum()).max() < 1e-12
    freedom = 15 - 3 - (2 if line else 3)
    assert 2 * atoms.get_kinetic_energy() / (freedom * units.kB) == pytest.approx(300.0)

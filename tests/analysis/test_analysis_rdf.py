"""Radial distribution functions of known systems: ideal gas, crystals, repeated cells.

No distance that the lattice fixes is a border of two shells.
"""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.geometry.rdf import get_rdf

from fastsf.analysis.rdf import RDF, RadialDistribution
from fastsf.errors import InputError, StructureError
from fastsf.structure import Structure

SKEWED = np.array([[7.0, 0.0, 0.0], [2.5, 6.5, 0.0], [-1.5, 2.0, 8.0]])


def rdf_of(frames: list[Atoms], reach: float, bins: int) -> RDF:
    distribution = RadialDistribution(reach, bins)
    for atoms in frames:
        distribution.add(atoms)
    return distribution.result()


def gas(symbols: str, seed: int) -> Atoms:
    atoms = Atoms(symbols, cell=SKEWED, pbc=True)
    atoms.set_scaled_positions(np.random.default_rng(seed).random((len(atoms), 3)))
    return atoms


def test_ideal_gas_is_one_within_poisson_errors() -> None:
    """Also beyond half the cell; 1 - 1/N where an atom is no neighbour of itself."""
    frames = [gas("Ar60Ne30", seed) for seed in range(300)]
    rdf = rdf_of(frames, 6.0, 24)
    assert rdf.frames == 300 and rdf.half_cell < 4.0
    for pair, atoms in ((("Ne", "Ne"), 30), (("Ne", "Ar"), None), (("Ar", "Ar"), 60)):
        g = rdf.g[pair]
        shells = 4 / 3 * np.pi * np.diff(rdf.edges**3)
        a, b = (sum(frames[0].symbols == symbol) for symbol in pair)
        counts = 300 * a * b / frames[0].get_volume() * shells / (2 if atoms else 1)
        expected = np.full(24, 1.0 if atoms is None else 1 - 1 / atoms)
        near = rdf.edges[1:] < 2 * rdf.half_cell
        scores = ((g - expected) * np.sqrt(counts))[near]
        assert np.abs(scores).max() < 4.5 and 0.6 < scores.std() < 1.5
        assert np.median(rdf.g_error[pair] * np.sqrt(counts)) == pytest.approx(1.0, rel=0.35)


def test_shells_of_a_crystal() -> None:
    a = 3.6
    rdf = rdf_of([bulk("Cu", "fcc", a=a)], 6.0, 600)
    found = rdf.g["Cu", "Cu"]
    shells = [a / np.sqrt(2), a, a * np.sqrt(1.5), a * np.sqrt(2), a * np.sqrt(2.5)]
    for radius, inside in zip(shells, (12, 18, 42, 54, 78), strict=True):
        bin_of = int(radius / 0.01)
        assert found[bin_of - 1 : bin_of + 2].sum() > 0
        shell = np.searchsorted(rdf.edges[1:], radius + 0.02)
        assert rdf.coordination["Cu", "Cu"][shell] == pytest.approx(inside)
    assert np.count_nonzero(found) == len(shells)  # the next is at 6.235 Å
    assert np.isnan(rdf.g_error["Cu", "Cu"]).all()


def test_coordination_of_both_orders() -> None:
    rdf = rdf_of([bulk("CaF2", "fluorite", a=5.46)], 3.0, 60)
    assert list(rdf.g) == [("F", "F"), ("F", "Ca"), ("Ca", "Ca")]
    shell = np.searchsorted(rdf.edges[1:], 2.5)
    assert rdf.coordination["Ca", "F"][shell] == pytest.approx(8)
    assert rdf.coordination["F", "Ca"][shell] == pytest.approx(4)


@pytest.mark.parametrize("repeats", [(2, 1, 1), (2, 2, 2)])
def test_cell_smaller_than_the_range_is_its_supercell(repeats: tuple) -> None:
    cell = gas("Ar3Ne2", 4)
    small, large = rdf_of([cell], 9.0, 43), rdf_of([cell.repeat(repeats)], 9.0, 43)
    for pair in small.g:
        np.testing.assert_allclose(large.g[pair], small.g[pair], rtol=1e-12)
    for pair in small.coordination:
        np.testing.assert_allclose(large.coordination[pair], small.coordination[pair], rtol=1e-12)


def test_number_of_atoms_and_volume_may_change() -> None:
    small, large = gas("Ar20Ne10", 1), gas("Ar30Ne15", 2)
    large.set_cell(1.1 * large.cell, scale_atoms=True)
    rdf = rdf_of([small, large], 5.0, 10)
    one, other = rdf_of([small], 5.0, 10), rdf_of([large], 5.0, 10)
    pairs = [len(each) ** 2 / each.get_volume() for each in (small, large)]
    for pair in rdf.g:
        np.testing.assert_allclose(rdf.g[pair], np.average([one.g[pair], other.g[pair]], axis=0, weights=pairs))


def test_first_shell() -> None:
    r = np.linspace(0, 6, 121)[1:] - 0.025
    g = 2.0 * np.exp(-(((r - 2.8) / 0.2) ** 2)) + (r > 3) * (1 + 0.3 * np.cos(2 * np.pi * (r - 4.4)))
    pair = ("O", "O")
    rdf = RDF(np.linspace(0, 6, 121), {pair: g}, {}, {}, {}, 1, 3.0)
    peak, height, minimum = rdf.first_shell(pair)
    assert peak == pytest.approx(2.8, abs=0.06) and height == pytest.approx(2.0, abs=0.1)
    assert minimum is not None and 2.9 < minimum < 4.1
    falling = RDF(np.linspace(0, 6, 121), {pair: np.exp(-r)}, {}, {}, {}, 1, 3.0)
    assert falling.first_shell(pair)[2] is None


@pytest.mark.parametrize("pbc", [False, (True, True, False)])
def test_no_density_no_distribution(pbc: bool) -> None:
    atoms = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, 3]], cell=[5, 5, 5], pbc=pbc)
    with pytest.raises(StructureError, match="expected three periodic directions, found"):
        RadialDistribution(5.0).add(Structure.from_atoms(atoms))


def test_bad_input() -> None:
    with pytest.raises(InputError, match="positive"):
        RadialDistribution(-1.0)
    with pytest.raises(InputError, match="at least one bin"):
        RadialDistribution(5.0, 0)
    with pytest.raises(InputError, match="use a smaller --rdf-range"):
        RadialDistribution(500.0).add(gas("Ar60", 1))
    with pytest.raises(InputError, match="radial distribution functions: expected frames, found none"):
        RadialDistribution(5.0).result()
    distribution = RadialDistribution(5.0)
    distribution.add(gas("Ar4", 1))
    with pytest.raises(StructureError, match="expected the elements of the first frame, found Ne"):
        distribution.add(Structure.from_atoms(gas("Ar3Ne", 1)))


def test_one_element_is_as_in_ase() -> None:
    frame = bulk("Ar", "fcc", a=5.7, cubic=True).repeat(3)
    frame.rattle(0.3, seed=2)
    expected, distances = get_rdf(frame, 8.0, 40)
    found = rdf_of([frame], 8.0, 40)
    np.testing.assert_allclose(found.g["Ar", "Ar"], expected, rtol=1e-10)
    np.testing.assert_allclose(found.centres, distances)


def test_single_atom_sees_its_images() -> None:
    rdf = rdf_of([Atoms("Ar", cell=[4.0, 4.0, 4.0], pbc=True)], 4.5, 45)
    assert rdf.coordination["Ar", "Ar"][-1] == 6

"""Neighbour lists: as ASE and matscipy find them, for any number of threads, before and after moves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.neighborlist import neighbor_list as ase_neighbor_list
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matscipy.neighbours import neighbour_list as matscipy_neighbour_list
from scipy.spatial.transform import Rotation
from support.systems import RADIUS, SYSTEMS

from fastsf.errors import InputError, StructureError
from fastsf.neighbors import memory as recycling
from fastsf.neighbors.neighbor_list import neighbor_list
from fastsf.neighbors.pairs import Pairs
from fastsf.structure import Structure

CUTOFFS = (1.5, RADIUS, 7.3)
THREADS = (1, 2)
LETTERS = "ijdDS"


def triples(i, j, shift):
    return sorted(map(tuple, np.column_stack([i, j, shift]).tolist()))


def triples_of(pairs):
    i = np.repeat(np.arange(len(pairs.start) - 1), np.diff(pairs.start))
    return triples(i, pairs.neighbor, pairs.shift)


def perturbed_copper(repeats, seed=0):
    atoms = bulk("Cu", cubic=True) * repeats
    atoms.rattle(0.1, seed=seed)
    return atoms


def assert_like_ase(atoms, cutoff, **options):
    i, j, d, D, S = neighbor_list(LETTERS, atoms, cutoff, **options)
    assert triples(i, j, S) == triples(*ase_neighbor_list("ijS", atoms, cutoff))
    assert (np.diff(i) >= 0).all()
    assert [array.dtype for array in (i, j, d, D, S)] == [np.int64, np.int64, float, float, np.int64]
    assert d.shape == i.shape == j.shape and D.shape == S.shape == (len(i), 3)
    expected = atoms.positions[j] - atoms.positions[i] + S @ atoms.cell.array
    span = np.abs(S @ atoms.cell.array).max(initial=0) + np.abs(atoms.positions).max(initial=0)
    np.testing.assert_allclose(D, expected, rtol=0, atol=4e-16 * (span + cutoff if np.isscalar(cutoff) else span + 9))
    np.testing.assert_array_equal(d, np.sqrt((D * D).sum(axis=1)))


@pytest.mark.parametrize("cutoff", CUTOFFS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_equals_ase(name, cutoff):
    assert_like_ase(SYSTEMS[name](), cutoff)


@pytest.mark.parametrize("cutoff", CUTOFFS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_equals_matscipy(name, cutoff):
    atoms = SYSTEMS[name]()
    if not atoms.pbc.any():
        atoms.cell = None  # matscipy would use it
    if atoms.cell.rank != 3:
        atoms.center(vacuum=2 * cutoff, axis=np.flatnonzero(~atoms.cell.any(axis=1)))
    expected = matscipy_neighbour_list("ijS", atoms, cutoff)
    assert triples(*neighbor_list("ijS", atoms, cutoff)) == triples(*expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", SYSTEMS)
def test_rotated_systems(name, seed):
    atoms = SYSTEMS[name]()
    matrix = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    atoms.positions = atoms.positions @ matrix.T
    atoms.cell = atoms.cell.array @ matrix.T
    assert_like_ase(atoms, 4.1)


@st.composite
def structures(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    angles = draw(st.tuples(*[st.floats(20, 160)] * 3))
    lengths = draw(st.tuples(*[st.floats(1.5, 9)] * 3))
    cosines = np.cos(np.radians(angles))
    volume = 1 - (cosines**2).sum() + 2 * cosines.prod()
    cell = [*lengths, *angles] if volume > 0.01 else lengths
    atoms = Atoms(f"H{draw(st.integers(1, 12))}", cell=cell, pbc=draw(st.tuples(*[st.booleans()] * 3)))
    spread = draw(st.sampled_from([1, 3, 40]))
    atoms.positions = (rng.random((len(atoms), 3)) * spread - spread / 3) @ atoms.cell.array
    return atoms


@settings(max_examples=60, deadline=None, derandomize=True)
@given(structures(), st.floats(0.5, 6))
def test_random_cells(atoms, cutoff):
    distances = ase_neighbor_list("d", atoms, cutoff * (1 + 1e-9))
    assume((np.abs(distances - cutoff) > 1e-9 * cutoff).all())  # there, rounding decides
    assert_like_ase(atoms, cutoff)


def test_vectors_of_unwrapped_atoms_are_exact_to_rounding():
    atoms = SYSTEMS["unwrapped"]()
    atoms.cell = atoms.cell.array * 1.1
    atoms.positions = atoms.positions * 1.1 + 1e6 * atoms.cell.array[0]
    i, j, D, S = neighbor_list("ijDS", atoms, RADIUS)
    cell, positions = ([[Fraction(x) for x in row] for row in rows] for rows in (atoms.cell.array, atoms.positions))
    for p in range(len(i)):
        for c in range(3):
            shift = sum(int(S[p, k]) * cell[k][c] for k in range(3))
            exact = positions[j[p]][c] - positions[i[p]][c] + shift
            assert abs(float(exact - Fraction(D[p, c]))) < 1e-14


@pytest.mark.parametrize("quantities", ["i", "d", "S", "Dj", "jdi", "SDdji"])
def test_letters_in_any_order(quantities):
    atoms = SYSTEMS["triclinic"]()
    full = dict(zip(LETTERS, neighbor_list(LETTERS, atoms, RADIUS), strict=True))
    found = neighbor_list(quantities, atoms, RADIUS)
    for letter, array in zip(quantities, (found,) if len(quantities) == 1 else found, strict=True):
        np.testing.assert_array_equal(array, full[letter])
    assert isinstance(found, tuple) == (len(quantities) > 1)


def test_pairs_at_the_cutoff_do_not_count_and_coincident_atoms_do():
    atoms = Atoms("H4", positions=[[0, 0, 0], [2, 0, 0], [0, 0, 0], [0, 2.000001, 0]])
    for cutoff in (2.0, np.nextafter(2.0, 3.0)):
        assert_like_ase(atoms, cutoff)
    i, j, d = neighbor_list("ijd", atoms, 2.0)
    assert list(zip(i, j, d, strict=True)) == [(0, 2, 0.0), (2, 0, 0.0)]


@pytest.mark.parametrize("cutoff", [3.5, 3.5 * np.sqrt(0.5), 7.0])
def test_perfect_crystal_with_a_shell_at_the_cutoff(cutoff):
    assert_like_ase(bulk("Cu", a=3.5, cubic=True) * (3, 2, 1), cutoff)


def test_empty_structure():
    i, j, d, D, S = neighbor_list(LETTERS, Atoms(cell=[4, 4, 4], pbc=True), 3.0)
    assert i.shape == j.shape == d.shape == (0,) and D.shape == S.shape == (0, 3)
    pairs = Pairs.build(Atoms(), 3.0)
    assert pairs.start.tolist() == [0] and len(pairs) == len(pairs.reverse) == 0


def test_far_clusters_and_long_chains():
    rng = np.random.default_rng(3)
    cluster = rng.random((60, 3)) * 8
    for far in ([1e6, 0, 0], [1e6, -2e6, 3e6]):
        assert_like_ase(Atoms("H120", positions=np.vstack([cluster, cluster + far])), 2.5)
    steps = np.arange(3000) * np.array([[1.0, 1.1, -0.9]]).T
    i = neighbor_list("i", Atoms("H3000", positions=steps.T), 2.0)
    np.testing.assert_array_equal(np.bincount(i), [1, *[2] * 2998, 1])


@pytest.mark.parametrize("far", [1e9, 1e17])
def test_pairs_far_from_the_first_atom_of_a_bin(far):
    """Coordinates relative to that atom are beyond the digits of float32, or beyond its range."""
    positions = [[0, 0, 0], [far, 0, 0], [far, 1.5, 0], [far, 0, 2.5], [0, 0, 1]]
    i, j = neighbor_list("ij", Atoms("H5", positions=positions), 2.0)
    assert list(zip(i, j, strict=True)) == [(0, 4), (1, 2), (2, 1), (4, 0)]


def test_a_cutoff_beyond_everything():
    atoms = Atoms("H3", positions=[[0, 0, 0], [1, 0, 0], [0, 1e14, 0]])
    assert len(neighbor_list("i", atoms, 1e15)) == 6 and len(neighbor_list("i", atoms, 1e13)) == 2


def test_large_results_are_right_when_their_memory_is_used_again():
    atoms = perturbed_copper((12, 12, 12))
    first = neighbor_list(LETTERS, atoms, 6.0)
    kept = [array.copy() for array in first]
    again = neighbor_list(LETTERS, atoms, 6.0)
    view = first[3][5:, 1]
    column = view.copy()
    assert not any(np.shares_memory(a, b) for a, b in zip(first, again, strict=True))
    del first
    third = neighbor_list(LETTERS, atoms, 6.0)
    for a, b, c in zip(kept, again, third, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    np.testing.assert_array_equal(view, column)
    assert not np.shares_memory(view, third[3])


def test_shifts_of_the_largest_results():
    atoms = perturbed_copper((24, 18, 18))
    i, j, D, S = neighbor_list("ijDS", atoms, 6.0)
    assert S.nbytes + 2 * i.nbytes + D.nbytes > recycling.MOST_KEPT
    expected = atoms.positions[j] - atoms.positions[i] + S @ atoms.cell.array
    np.testing.assert_allclose(D, expected, rtol=0, atol=1e-12)


# --- cutoffs that depend on the pair ---

SPECIES_CUTOFFS = (
    {("H", "O"): 1.8, ("S", "S"): 3.1},
    {(8, "O"): 2.7, (1, 16): 2.0, ("O", "S"): 3.3},
    {("Xe", "Xe"): 4.0},
)


@pytest.mark.parametrize("cutoff", SPECIES_CUTOFFS)
@pytest.mark.parametrize("name", ["molecule", "slab", "cell_smaller_than_cutoff", "unwrapped"])
def test_cutoffs_of_species_pairs(name, cutoff):
    assert_like_ase(SYSTEMS[name](), cutoff)


@pytest.mark.parametrize("name", ["molecule", "slab", "cell_smaller_than_cutoff"])
def test_radii_of_atoms(name):
    atoms = SYSTEMS[name]()
    assert_like_ase(atoms, np.random.default_rng(1).uniform(0, 2, len(atoms)))


# --- wrong input ---


@pytest.mark.parametrize(
    "cutoff",
    [
        0.0,
        -1.0,
        np.nan,
        np.inf,
        "far",
        {("H", "O"): -1.0},
        {("H", "O"): 1.0, ("O", "H"): 2.0},
        {},
        [1.0],
        [-1.0] * 8,
    ],
)
def test_wrong_cutoffs(cutoff):
    with pytest.raises(InputError):
        neighbor_list("i", SYSTEMS["molecule"](), cutoff)


def test_wrong_letters_skins_threads_and_structures():
    atoms = SYSTEMS["molecule"]()
    for quantities in ("", "x", "ijP"):
        with pytest.raises(InputError, match="quantities"):
            neighbor_list(quantities, atoms, 3.0)
    with pytest.raises(InputError, match="skin"):
        Pairs.build(atoms, 3.0, skin=-0.1)
    with pytest.raises(InputError, match="thread"):
        neighbor_list("i", atoms, 3.0, threads=0)
    with pytest.raises(InputError, match="cutoff: expected a positive"):
        Pairs.build(atoms, float("nan"))
    atoms.positions[3, 1] = np.nan
    with pytest.raises(StructureError, match="atom 3"):
        neighbor_list("i", atoms, 3.0)


# --- threads ---


def test_threads_do_not_change_a_bit():
    atoms = perturbed_copper((6, 5, 4))
    one, two = (neighbor_list(LETTERS, atoms, 6.0, threads=threads) for threads in THREADS)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    lists = [Pairs.build(atoms, 4.0, skin=0.5, threads=threads) for threads in THREADS]
    for pairs in lists:
        pairs.update(atoms.positions + 0.1)
    for field in ("start", "neighbor", "vector", "reverse", "shift"):
        np.testing.assert_array_equal(*(getattr(pairs, field) for pairs in lists))


def test_single_thread_path_in_several_python_threads():
    systems = [perturbed_copper((3, 3, 3), seed) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda atoms: neighbor_list("D", atoms, 5.0, threads=1), systems))
    for atoms, vectors in zip(systems, together, strict=True):
        np.testing.assert_array_equal(vectors, neighbor_list("D", atoms, 5.0, threads=1))


# --- Pairs ---


@pytest.mark.parametrize("name", SYSTEMS)
def test_pairs_equal_the_list(name):
    atoms = SYSTEMS[name]()
    pairs = Pairs.build(atoms, RADIUS)
    i, j, D, S = neighbor_list("ijDS", atoms, RADIUS)
    np.testing.assert_array_equal(np.repeat(np.arange(len(atoms)), np.diff(pairs.start)), i)
    np.testing.assert_array_equal(pairs.neighbor, j)
    np.testing.assert_array_equal(pairs.vector, D)
    np.testing.assert_array_equal(pairs.shift, S)


@pytest.mark.parametrize("name", SYSTEMS)
def test_reverse(name):
    pairs = Pairs.build(SYSTEMS[name](), 2 * RADIUS)
    i = np.repeat(np.arange(len(pairs.start) - 1), np.diff(pairs.start))
    np.testing.assert_array_equal(pairs.neighbor[pairs.reverse], i)
    np.testing.assert_array_equal(i[pairs.reverse], pairs.neighbor)
    np.testing.assert_array_equal(pairs.shift[pairs.reverse], -pairs.shift)
    np.testing.assert_array_equal(pairs.vector[pairs.reverse], -pairs.vector)


def within(pairs, cutoff):
    i = np.repeat(np.arange(len(pairs.start) - 1), np.diff(pairs.start))
    near = np.linalg.norm(pairs.vector, axis=1) < cutoff
    return triples(i[near], pairs.neighbor[near], pairs.shift[near])


@pytest.mark.parametrize("name", ["molecule", "slab", "cell_much_smaller_than_cutoff", "triclinic", "unwrapped"])
def test_random_walk_with_a_skin(name):
    atoms = SYSTEMS[name]()
    rng = np.random.default_rng(5)
    pairs = Pairs.build(atoms, RADIUS, skin=0.8)
    rebuilt = []
    for _ in range(40):
        atoms.positions += rng.normal(scale=0.04, size=atoms.positions.shape)
        rebuilt.append(pairs.update(atoms.positions))
        fresh = Pairs.build(atoms, RADIUS)
        assert within(pairs, RADIUS) == triples_of(fresh)
        i = np.repeat(np.arange(len(atoms)), np.diff(pairs.start))
        expected = atoms.positions[pairs.neighbor] - atoms.positions[i] + pairs.shift @ atoms.cell.array
        np.testing.assert_allclose(pairs.vector, expected, rtol=0, atol=1e-13)
        np.testing.assert_array_equal(pairs.vector[pairs.reverse], -pairs.vector)
    assert 0 < sum(rebuilt) < len(rebuilt)


def test_when_pairs_are_found_anew():
    atoms = perturbed_copper((3, 3, 3))
    pairs = Pairs.build(atoms, 5.0, skin=0.5)
    assert not pairs.update(atoms.positions)
    moved = atoms.positions.copy()
    moved[7, 2] += 0.25
    assert not pairs.update(moved)
    moved[7, 2] += 0.01
    assert pairs.update(moved)
    assert not pairs.update(moved, cell=atoms.cell.array)
    assert pairs.update(moved, cell=atoms.cell.array * 1.01)
    atoms.positions = moved
    atoms.cell = atoms.cell.array * 1.01
    assert triples_of(pairs) == triples_of(Pairs.build(atoms, 5.5))


def test_without_a_skin_every_move_counts():
    atoms = perturbed_copper((2, 2, 2))
    pairs = Pairs.build(atoms, 4.0)
    assert not pairs.update(atoms.positions)
    assert pairs.update(atoms.positions + 1e-9)


def test_buffers_are_used_again():
    atoms = perturbed_copper((4, 4, 4))
    pairs = Pairs.build(atoms, 5.0)
    pairs.update(atoms.positions * 0.999)
    before = pairs.vector
    pairs.update(atoms.positions)
    assert np.shares_memory(before, pairs.vector)
    pairs.update(atoms.positions * 0.9, cell=atoms.cell.array * 0.9)
    atoms.set_cell(atoms.cell.array * 0.9, scale_atoms=True)
    assert triples_of(pairs) == triples(*ase_neighbor_list("ijS", atoms, 5.0))


@pytest.mark.parametrize("threads", THREADS)
def test_many_structures_in_one_list(threads):
    systems = [Structure.from_atoms(factory()) for factory in SYSTEMS.values()]
    systems.insert(3, Structure.from_atoms(Atoms()))
    together = Pairs.concatenate(systems, RADIUS, threads=threads)
    atom = pair = 0
    for structure in systems:
        alone = Pairs.build(structure, RADIUS)
        end = pair + len(alone)
        np.testing.assert_array_equal(together.start[atom : atom + len(structure) + 1] - pair, alone.start)
        np.testing.assert_array_equal(together.neighbor[pair:end] - atom, alone.neighbor)
        np.testing.assert_array_equal(together.vector[pair:end], alone.vector)
        np.testing.assert_array_equal(together.reverse[pair:end] - pair, alone.reverse)
        np.testing.assert_array_equal(together.shift[pair:end], alone.shift)
        atom, pair = atom + len(structure), end
    assert pair == len(together)
    with pytest.raises(InputError, match="several structures"):
        together.update(np.zeros((atom, 3)))


def test_no_structures():
    assert len(Pairs.concatenate([], 3.0)) == 0

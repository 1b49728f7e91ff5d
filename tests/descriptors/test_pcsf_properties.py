"""What every descriptor of pairs must fulfil, for all named systems and sets of functions."""

import numba
import numpy as np
import pytest
from ase import Atoms
from support.battery import ELEMENTS, assert_values
from support.pcsf_battery import PCSF_SETS, named, pcsf_descriptor, pcsf_functions_of
from support.systems import SAME, SYSTEMS, on_grid

from fastsf import PCSF
from fastsf.errors import InputError, StructureError
from fastsf.symmetry.factors import Cutoff, Power
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial


def by_name(name: str, atoms: Atoms, renamed=None) -> dict:
    """Return the values of each pair, whose name does not depend on the end."""
    pcsf = pcsf_descriptor(name)
    keys = named(pcsf.rows(atoms))
    if renamed is not None:
        keys = [key._replace(i=int(renamed[key.i]), j=int(renamed[key.j])) for key in keys]
    return {min(key, key.reversed()): values for key, values in zip(keys, pcsf.create(atoms), strict=True)}


def assert_same(first: dict, second: dict) -> None:
    assert first.keys() == second.keys()
    if first:
        a, b = np.array(list(first.values())), np.array([second[key] for key in first])
        assert_values(b, a, np.maximum(np.abs(a), 1.0))


@pytest.mark.parametrize("name", PCSF_SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_order_of_atoms(system, name):
    """Pairs are the same from both ends: another order of the atoms has others own them."""
    atoms = SYSTEMS[system]()
    before = by_name(name, atoms)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(atoms))
        assert_same(before, by_name(name, atoms[order], renamed=order))


def test_exchange_of_like_atoms():
    """Values of a pair of two like atoms whose places are exchanged, with different surroundings."""
    atoms = SYSTEMS["molecule"]()
    pcsf = pcsf_descriptor("all")
    like = [i for i, symbol in enumerate(atoms.get_chemical_symbols()) if symbol == "O"][:2]
    swapped = atoms.copy()
    swapped.positions[like] = swapped.positions[like[::-1]]

    def of_pair(one):
        rows = pcsf.rows(one)
        return pcsf.create(one)[[{int(i), int(j)} == set(like) for i, j in zip(rows.i, rows.j, strict=True)]]

    first, second = of_pair(atoms), of_pair(swapped)
    assert len(first) == 1
    np.testing.assert_allclose(second, first, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", PCSF_SETS)
@pytest.mark.parametrize("system", [system for system, factory in SYSTEMS.items() if factory().pbc.any()])
def test_supercell_equals_cell(system, name):
    """Each pair of the cell is there once for every copy."""
    atoms = SYSTEMS[system]()
    copies = np.where(atoms.pbc, (2, 1, 3), 1)
    values, large = pcsf_descriptor(name).create(atoms), pcsf_descriptor(name).create(atoms.repeat(tuple(copies)))
    assert len(large) == copies.prod() * len(values)
    totals = np.sum(values, axis=0) * copies.prod(), np.sum(values**2, axis=0) * copies.prod()
    np.testing.assert_allclose(np.sum(large, axis=0), totals[0], rtol=1e-11, atol=1e-9)
    np.testing.assert_allclose(np.sum(large**2, axis=0), totals[1], rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("name", PCSF_SETS)
def test_translation(name):
    atoms = SYSTEMS["triclinic"]()
    before = by_name(name, atoms)
    atoms.positions += on_grid([0.1, -3.7, 12.3])
    assert_same(before, by_name(name, atoms))


@pytest.mark.parametrize("name", PCSF_SETS)
@pytest.mark.parametrize(("system", "original"), SAME.items())
def test_same_structure_written_differently(system, original, name):
    """Images have other shifts, so only the set of all values can be compared."""
    values, plain = (pcsf_descriptor(name).create(SYSTEMS[each]()) for each in (system, original))
    assert values.shape == plain.shape
    np.testing.assert_allclose(np.sort(values, axis=0), np.sort(plain, axis=0), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", PCSF_SETS)
def test_far_parts_have_their_own_pairs(name):
    parts, whole = [SYSTEMS[system]() for system in ("molecule", "collinear", "single_atom", "element_absent")], Atoms()
    for n, part in enumerate(parts):
        moved = part.copy()
        moved.positions += [64.0 * n, -32.0 * n, 16.0 * n]
        whole += moved
    separate, together = pcsf_descriptor(name).create(parts), pcsf_descriptor(name).create(whole)
    assert len(together) == sum(map(len, separate))
    np.testing.assert_allclose(together.sum(axis=0), sum(v.sum(axis=0) for v in separate), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", ["cosine", "tanh3", "poly2"])
def test_values_end_smoothly_at_the_cutoff(kind):
    """A pair that leaves takes nothing along but its own distance."""
    pair, fc = ("H", "O"), Cutoff(3.0, kind)
    functions = [
        PairRadial(pair, fc, 0.2),
        PairEnvironment(pair, "O", fc, 0.1),
        PairAngular(pair, "O", fc, Power(1.0, 1.0)),
    ]
    pcsf = PCSF(functions)
    near, inside, outside = (
        pcsf.create(Atoms("HOO", positions=[[0, 0, 0], [x, 0, 0], [1.5, 1.0, 0]])) for x in (2.99, 3.0 - 1e-9, 3.0)
    )
    assert (len(inside), len(outside)) == (2, 1)
    assert (near > 0).any()
    lost = inside[np.argmin(np.abs(inside).sum(axis=1))]
    np.testing.assert_allclose(lost, 0.0, atol=1e-15)


def test_images_of_the_pair_are_neighbours_like_any_other():
    atoms = Atoms("O", positions=[[0, 0, 0]], cell=np.diag([2.0, 9.0, 9.0]), pbc=(True, False, False))
    fc = Cutoff(5.0, "hard")
    pcsf = PCSF([PairRadial(("O", "O"), fc), PairEnvironment(("O", "O"), "O", fc)])
    rows, values = pcsf.rows(atoms), pcsf.create(atoms)
    np.testing.assert_array_equal(np.sort(rows.distance), [2.0, 4.0])
    np.testing.assert_array_equal(values, [[1.0, 6.0], [1.0, 6.0]])


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="only one thread to be had")
def test_threads_do_not_matter():
    """Bitwise, on enough atoms for every thread to have some."""
    atoms = SYSTEMS["triclinic"]().repeat((2, 2, 2))
    atoms.positions += np.random.default_rng(33).normal(scale=0.02, size=(len(atoms), 3))
    displacements = np.random.default_rng(35).normal(size=(len(atoms), 3))
    results = []
    for threads in (1, 2):
        pcsf = PCSF(pcsf_functions_of("all"), elements=ELEMENTS, threads=threads)
        jacobian, values = pcsf.derivatives(atoms, sparse=True)
        weights = np.random.default_rng(34).normal(size=values.shape)
        results.append(
            [
                *(pcsf.create(atoms), values, *pcsf.vjp(atoms, weights), pcsf.jvp(atoms, displacements)),
                *(jacobian.start, jacobian.column, jacobian.atom, jacobian.data),
            ]
        )
    for one, many in zip(*results, strict=True):
        np.testing.assert_array_equal(one, many)


def every_entry(pcsf: PCSF, atoms: Atoms) -> list:
    """Yield calls of every method that takes a structure."""
    return [
        lambda: pcsf.create(atoms),
        lambda: pcsf.create([SYSTEMS["molecule"](), atoms]),
        lambda: pcsf.rows(atoms),
        lambda: pcsf.derivatives(atoms),
        lambda: pcsf.vjp(atoms, np.zeros((1, pcsf.n_features))),
        lambda: pcsf.jvp(atoms, np.zeros((len(atoms), 3))),
    ]


@pytest.mark.parametrize(
    ("atoms", "said"),
    [
        (Atoms("OC", positions=[[0, 0, 0], [1, 0, 0]]), r"C\b.*H.*O.*S"),
        (Atoms("OH", positions=[[0, 0, 0], [1, np.nan, 0]]), "atom 1"),
        (Atoms("OH", [[0, 0, 0], [1, 0, 0]], cell=[[3, 0, 0], [0, 3, 0], [3, 3, 0]], pbc=True), "no volume"),
    ],
)
def test_structures_that_cannot_be_used(atoms, said):
    for call in every_entry(pcsf_descriptor("distances"), atoms):
        with pytest.raises(StructureError, match=said):
            call()


def test_arrays_need_the_right_shape():
    atoms, pcsf = SYSTEMS["molecule"](), pcsf_descriptor("distances")
    with pytest.raises(InputError, match="weights: expected an array of shape"):
        pcsf.vjp(atoms, np.zeros((1, pcsf.n_features)))
    with pytest.raises(InputError, match="weights: expected finite numbers, found nan"):
        pcsf.vjp(atoms, np.full((len(pcsf.rows(atoms)), pcsf.n_features), np.nan))
    with pytest.raises(InputError, match="displacements: expected an array of shape"):
        pcsf.jvp(atoms, np.zeros((len(atoms) + 1, 3)))
    with pytest.raises(InputError, match=r"expected an ase\.Atoms object"):
        pcsf.create(3.0)


def test_functions_must_make_sense():
    with pytest.raises(InputError, match="at least one"):
        PCSF([])
    with pytest.raises(InputError, match="H-O: the distance alone has no cutoff"):
        PCSF([PairRadial(("H", "O"), None), PairRadial(("H", "H"), Cutoff(3.0))])
    with pytest.raises(InputError, match="functions name S, but elements are H, O"):
        PCSF([PairEnvironment(("H", "O"), "S", Cutoff(3.0))], elements=["H", "O"])

"""Values of atom-centred symmetry functions against the plain reference, and what surrounds them."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from reference.assemble import features
from support.battery import ELEMENTS, EVERY_CUTOFF, SETS, SPANS, assert_values, by_center, expected, functions_of
from support.descriptors import descriptor
from support.systems import RADIUS, SYSTEMS

from fastsf import ACSF
from fastsf.errors import InputError
from fastsf.symmetry.atoms import G1, G5, Angular, Radial
from fastsf.symmetry.factors import BUMPS, Compact, Cutoff, Power, Window

DIMER_ENVELOPES = (
    *EVERY_CUTOFF,
    *(Compact(*span, kind, a) for span in SPANS for kind in BUMPS for a in (0, 1)),
)


def dimer(distance: float) -> Atoms:
    return Atoms("OH", positions=[[0, 0, 0], [distance, 0, 0]])


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_equals_reference(system, name):
    reference = expected(system, name)
    assert_values(descriptor(name).create(SYSTEMS[system]()), reference.values, reference.scale)


@pytest.mark.parametrize("zeta", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("lam", [1.0, -1.0, 0.0, 1.5])
def test_exponents_below_one(zeta, lam):
    functions = [replace(f, angle=Power(zeta, lam)) for f in functions_of("powers") if f.angle.zeta == 1.0]
    reference = features(by_center(functions), SYSTEMS["molecule"]())
    assert_values(ACSF(functions).create(SYSTEMS["molecule"]()), reference.values, reference.scale)


@pytest.mark.parametrize("name", SETS)
def test_columns_and_labels(name):
    acsf, functions = descriptor(name), functions_of(name)
    assert acsf.elements == ELEMENTS
    assert acsf.functions == tuple(functions)
    assert acsf.cutoff == max(function.envelope.radius for function in functions)
    for element in ELEMENTS:
        mine = tuple(function for function in functions if function.center == element)
        assert acsf.columns[element] == mine
        assert acsf.labels[element] == [function.label for function in mine]
    assert acsf.n_features == max(len(columns) for columns in acsf.columns.values())


def test_elements_are_sorted_and_found_in_functions():
    acsf = ACSF([G1("S", "H", 3.0), G5("H", ("O", "S"), 0.1, 1, 1, 3.0)])
    assert acsf.elements == ("H", "O", "S")
    assert acsf.columns["O"] == ()


def test_short_rows_are_padded_with_zeros():
    functions = [G1("O", "H", 3.0), G1("O", None, 3.0), G1("H", "O", 3.0)]
    values = ACSF(functions).create(dimer(1.0))
    fc = 0.5 * (1 + np.cos(np.pi / 3))
    np.testing.assert_allclose(values, [[fc, fc], [fc, 0]], rtol=1e-14)
    assert values[1, 1] == 0


@pytest.mark.parametrize("name", SETS)
def test_type_and_layout(name):
    atoms = SYSTEMS["slab"]()
    values = descriptor(name).create(atoms)
    assert values.dtype == np.float64
    assert values.flags.c_contiguous
    assert values.shape == (len(atoms), descriptor(name).n_features)


def test_no_atoms():
    acsf = descriptor("elements")
    assert acsf.create(Atoms()).shape == (0, acsf.n_features)
    assert acsf.create([]) == []


@pytest.mark.parametrize("name", SETS)
def test_list_gives_list(name):
    structures = [factory() for factory in SYSTEMS.values()]
    results = descriptor(name).create(structures)
    assert isinstance(results, list)
    for atoms, values in zip(structures, results, strict=True):
        np.testing.assert_array_equal(values, descriptor(name).create(atoms))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("system", ["triclinic", "molecule", "cell_much_smaller_than_cutoff"])
def test_centers_are_rows_of_the_full_result(system, name):
    atoms = SYSTEMS[system]()
    full = descriptor(name).create(atoms)
    for centers in ([1], [1, 0], list(range(len(atoms))), []):
        subset = descriptor(name).create(atoms, centers=centers)
        assert subset.shape == (len(centers), full.shape[1])
        np.testing.assert_array_equal(subset, full[centers])


@pytest.mark.parametrize("center", [-9, 8, 100])
def test_center_that_is_not_there(center):
    with pytest.raises(InputError, match=str(center)):
        descriptor("elements").create(SYSTEMS["molecule"](), centers=[center])


@pytest.mark.parametrize("name", SETS)
def test_atoms_stay_as_they_are(name):
    atoms = SYSTEMS["unwrapped"]()
    before = atoms.copy()
    descriptor(name).create(atoms)
    assert atoms == before
    assert atoms.arrays.keys() == before.arrays.keys()


@pytest.mark.parametrize("name", SETS)
def test_definition_survives_a_dictionary(name):
    acsf = descriptor(name)
    again = ACSF.from_dict(acsf.to_dict())
    assert (again.elements, again.functions) == (acsf.elements, acsf.functions)
    atoms = SYSTEMS["triclinic"]()
    np.testing.assert_array_equal(again.create(atoms), acsf.create(atoms))


@pytest.mark.parametrize("envelope", DIMER_ENVELOPES, ids=str)
def test_zero_from_the_edge_on(envelope):
    acsf = ACSF([Radial("O", "H", envelope, eta=0.1)])
    edges = [envelope.radius, np.nextafter(envelope.radius, 9), envelope.radius + 0.5]
    if isinstance(envelope, Compact) and envelope.left > 0:
        edges += [envelope.left, np.nextafter(envelope.left, 0), envelope.left - 0.25]
    for distance in edges:
        dense, values = acsf.derivatives(dimer(distance), centers=[0])
        assert values[0, 0] == 0
        assert not dense.any()


@pytest.mark.parametrize("envelope", [e for e in DIMER_ENVELOPES if e.kind != "hard"], ids=str)
def test_value_and_slope_vanish_towards_the_edge(envelope):
    acsf = ACSF([Radial("O", "H", envelope)])
    inside = [envelope.radius - 1e-6]
    if isinstance(envelope, Compact) and envelope.left > 0:
        inside.append(envelope.left + 1e-6)
    for distance in inside:
        dense, values = acsf.derivatives(dimer(distance), centers=[0])
        assert 0 <= values[0, 0] < 1e-11
        assert np.abs(dense[0]).max() < 1e-5


def test_hard_cutoff_is_one_up_to_its_edge():
    acsf = ACSF([G1("O", "H", Cutoff(RADIUS, "hard"))])
    assert acsf.create(dimer(np.nextafter(RADIUS, 0)), centers=[0])[0, 0] == 1
    assert acsf.create(dimer(RADIUS), centers=[0])[0, 0] == 0


@pytest.mark.parametrize("kind", BUMPS)
@pytest.mark.parametrize("narrow", [True, False])
def test_third_side_at_the_cutoff(kind, narrow):
    """Sides of 2 Å on either side of the centre: r_jk crosses the radius as one of them moves."""
    acsf = ACSF([Angular("O", ("H", "S"), Cutoff(RADIUS, kind), Power(1.0, 0.0), narrow=narrow)])
    for across, inside in ((RADIUS - 1e-6, True), (RADIUS, False), (RADIUS + 1e-6, False)):
        atoms = Atoms("OHS", positions=[[0, 0, 0], [2.0, 0, 0], [2.0 - across, 0, 0]])
        dense, values = acsf.derivatives(atoms, centers=[0])
        if not narrow:
            assert values[0, 0] > 0.01
        elif inside:
            assert 0 <= values[0, 0] < 1e-11
            assert np.abs(dense).max() < 1e-5
        else:
            assert values[0, 0] == 0
            assert not dense.any()


@pytest.mark.parametrize("window", [(-60, 60), (0, 120), (60, 180), (90, 270), (0, 360)])
@pytest.mark.parametrize("direction", [[1, 0, 0], [1, 2, -2], [0.3, -0.7, 0.2]])
@pytest.mark.parametrize("side", [1, -1])
def test_windows_at_collinear_triplets(window, direction, side):
    """A window is one in its middle, however the direction is rounded; n2p2 drops some of these triplets."""
    function = Angular("O", ("H", "S"), Cutoff(5.0), Window(*window), narrow=False)
    positions = np.array([0.0, 1.0, side * 1.75])[:, None] * direction / np.linalg.norm(direction)
    atoms = Atoms("OHS", positions=positions)
    dense, values = ACSF([function]).derivatives(atoms, centers=[0])
    without = ACSF([replace(function, angle=Power(1.0, 0.0))])
    dense_without, values_without = without.derivatives(atoms, centers=[0])
    inside = sum(window) / 2 == (0 if side == 1 else 180)
    np.testing.assert_allclose(values, values_without * inside, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(dense, dense_without * inside, rtol=1e-12, atol=1e-6)


def test_no_functions_is_an_error():
    with pytest.raises(InputError, match="function"):
        ACSF([])


def test_elements_must_cover_the_functions():
    with pytest.raises(InputError, match="S"):
        ACSF([G1("O", "S", 3.0)], elements=["H", "O"])

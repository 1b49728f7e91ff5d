"""Symmetry functions outside the training set: how they are found, and reactions to them."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ase import Atoms
from ase.io import read
from support.potentials import ELEMENTS, random_potential
from support.systems import SYSTEMS

from fastsf import Calculator, ExtrapolationError, ExtrapolationPolicy, ExtrapolationWarning, InputError, Potential
from fastsf.potentials.extrapolation import Tally, find
from fastsf.potentials.policy import Monitor
from fastsf.potentials.scaling import RANGE_SLACK, Scaling


@cache
def narrow(shrink: float = 0.5) -> Potential:
    """Return a potential whose training set contains only the middle of each range."""
    whole = random_potential()
    scalings = {}
    for symbol, scaling in whole.scalings.items():
        middle, half = (scaling.minimum + scaling.maximum) / 2, (scaling.maximum - scaling.minimum) / 2
        scalings[symbol] = replace(scaling, minimum=middle - shrink * half, maximum=middle + shrink * half)
    return Potential(whole.descriptor, whole.networks, scalings)


def plain_search(potential: Potential, atoms: Atoms) -> list[tuple[int, int, float, float, float]]:
    """Return atom, column, value, minimum and maximum, found one by one."""
    values, found = potential.descriptor.create(atoms), []
    for i, symbol in enumerate(atoms.get_chemical_symbols()):
        scaling = potential.scalings[symbol]
        for k, (low, high) in enumerate(zip(scaling.minimum, scaling.maximum, strict=True)):
            if not low - RANGE_SLACK <= values[i, k] <= high + RANGE_SLACK:
                found.append((i, k, values[i, k], low, high))
    return found


# --- which they are ---


@pytest.mark.parametrize("name", SYSTEMS)
def test_all_are_found(name):
    atoms = SYSTEMS[name]()
    result = narrow().evaluate(atoms)
    found, expected = result.extrapolations, plain_search(narrow(), atoms)
    assert len(found) == len(expected) == result.outside.sum()
    columns = (found.atom, found.column, found.value, found.minimum, found.maximum)
    for mine, theirs in zip(columns, np.array(expected).reshape(-1, 5).T, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    assert found.name.tolist() == [atoms.symbols[atom] for atom in found.atom]
    np.testing.assert_array_equal(np.bincount(found.atom, minlength=len(atoms)), result.outside)
    assert (found.distance > 0).all()


def test_the_training_set_itself_is_inside():
    for make in SYSTEMS.values():
        assert random_potential().evaluate(make()).outside.sum() == 0


def scaling_of(minimum: list[float], maximum: list[float]) -> Scaling:
    low, high = np.array(minimum), np.array(maximum)
    return Scaling("scale", 0.0, 1.0, low, high, (low + high) / 2, high - low)


def test_distances_are_in_units_of_the_range():
    acsf = random_potential().descriptor
    scaling = scaling_of([0.0, 1.0, 2.0, -1.0], [1.0, 3.0, 2.0, 1.0])
    values = np.array([[1.25, 2.0, 2.0, 1.0], [-0.5, 4.0, 2.5, 0.0], [1.0 + RANGE_SLACK / 2, 1.0, 2.0, -1.5]])
    found = find(values, [1, 1, 1], acsf.labels, {"H": scaling})
    np.testing.assert_array_equal(found.atom, [0, 1, 1, 1, 2])
    np.testing.assert_array_equal(found.column, [0, 0, 1, 2, 3])
    np.testing.assert_allclose(found.distance, [0.25, 0.5, 0.5, np.inf, 0.25])
    assert found.label(2) == acsf.labels["H"][1]
    lines = list(found.lines())
    assert lines[0].startswith("atom 1 (H), function 2 ")
    assert lines[0].endswith(": 2.5 is outside 2 .. 2 (never changed in training)")
    assert "1.25 is outside 0 .. 1 (by 25 % of the range)" in "\n".join(lines)


def test_padding_of_elements_with_fewer_columns_is_not_looked_at():
    acsf = random_potential().descriptor
    found = find(
        np.full((2, 3), 9.0),
        [1, 8],
        acsf.labels,
        {"H": scaling_of([0.0], [1.0]), "O": scaling_of([0.0] * 3, [10.0] * 3)},
    )
    assert found.atom.tolist() == [0]


def test_summary_counts_by_element_and_function():
    acsf = random_potential().descriptor
    scalings = {symbol: scaling_of([0.0, 0.0], [1.0, 2.0]) for symbol in ELEMENTS}
    values = np.array([[1.5, 0.0], [0.0, -1.0], [1.2, 3.0]])
    found = find(values, [1, 1, 8], acsf.labels, scalings)
    tally = Tally()
    tally.add(found)
    tally.add(found)
    assert len(tally) == 8
    rows = {(row["element"], row["column"]): row for row in tally.table()}
    assert set(rows) == {("H", 0), ("H", 1), ("O", 0), ("O", 1)}
    assert rows["H", 1] == {
        **{"element": "H", "column": 1, "function": acsf.labels["H"][1], "count": 2, "farthest": 0.5},
        **{"smallest": -1.0, "largest": -1.0, "minimum": 0.0, "maximum": 2.0},
    }
    text = found.summary()
    assert text.startswith("4 values outside the range of the training set, of 4 functions\n")
    assert (
        f"H  function   0: 1 value from 1.5 to 1.5, trained 0 to 1 (by 50 % of the range)  {acsf.labels['H'][0]}"
        in text
    )
    assert text.index("by 50 %") < text.index("by 20 %")
    assert found.summary(most=4) == text
    assert found.summary(most=1).splitlines() == [*text.splitlines()[:2], "  ... and 3 functions more"]


def test_nothing_outside():
    found = random_potential().evaluate(SYSTEMS["molecule"]()).extrapolations
    assert len(found) == 0
    assert list(found.lines()) == []
    assert found.summary() == "no values outside the range of the training set"
    empty = find(np.empty((0, 4)), [], random_potential().descriptor.labels, {})
    assert len(empty) == 0


# --- what is done about them ---


def walk(calculator: Calculator, steps: int, start: str = "molecule") -> Atoms:
    """Move a structure that is always outside by small steps."""
    atoms = SYSTEMS[start]()
    atoms.calc = calculator
    for _ in range(steps):
        atoms.positions[0, 0] += 1e-3
        atoms.get_potential_energy()
    return atoms


def calculator(policy: ExtrapolationPolicy | str, potential: Potential | None = None) -> Calculator:
    return Calculator(potential or narrow(), threads=1, extrapolation=policy)


def test_ignore_counts_in_silence():
    calc = calculator("ignore")
    walk(calc, 3)
    assert (calc.monitor.evaluations, calc.monitor.structures) == (3, 3)
    assert calc.monitor.count >= 3
    assert calc.monitor.summary() == f"{calc.monitor.count:,} extrapolations in 3 of 3 evaluated structures"


def test_warnings_come_less_and_less_often():
    calc = calculator("warn")
    with pytest.warns(ExtrapolationWarning) as warned:
        walk(calc, 25)
    assert [str(each.message).split(":")[1] for each in warned] == [
        " 1 of 1 evaluated structures",
        " 10 of 10 evaluated structures",
    ]
    assert calc.monitor.summary().startswith("25 of 25 evaluated structures: ")


def test_nothing_is_said_inside():
    calc = calculator("stop", random_potential())
    walk(calc, 3)
    assert calc.monitor.summary() == "0 extrapolations in 0 of 3 evaluated structures"


def test_showew_names_each():
    calc = calculator(ExtrapolationPolicy("ignore", showew=True))
    with pytest.warns(ExtrapolationWarning, match=r"evaluation \d: atom \d \(\w+\), function \d+ ") as warned:
        walk(calc, 3)
    assert len(warned) == 3


def test_showewsum_sums_up():
    calc = calculator(ExtrapolationPolicy(showewsum=4))
    with pytest.warns(ExtrapolationWarning) as warned:
        walk(calc, 11)
    assert [str(each.message).split(":")[1] for each in warned] == [
        " 4 of 4 evaluated structures",
        " 8 of 8 evaluated structures",
    ]
    calc = calculator(ExtrapolationPolicy(showewsum=2), random_potential())
    walk(calc, 4)


def test_stop_leaves_no_numbers():
    atoms = SYSTEMS["molecule"]()
    atoms.calc = calculator("stop")
    for number in (1, 2):
        with pytest.raises(ExtrapolationError, match=rf"extrapolations, more than 0, at evaluation {number}; atom \d"):
            atoms.get_forces()
        assert atoms.calc.results == {}


def test_maxew_counts_up_to_a_limit():
    each = int(narrow().evaluate(SYSTEMS["molecule"]()).outside.sum())
    calc = calculator(ExtrapolationPolicy("ignore", maxew=3 * each + 1))
    with pytest.raises(ExtrapolationError, match=f"more than {3 * each + 1}, at evaluation 4"):
        walk(calc, 9)


def test_resetew_counts_every_evaluation_anew():
    each = int(narrow().evaluate(SYSTEMS["molecule"]()).outside.sum())
    walk(calculator(ExtrapolationPolicy("ignore", maxew=2 * each, resetew=True)), 9)
    with pytest.raises(ExtrapolationError, match="evaluation 1;"):
        walk(calculator(ExtrapolationPolicy("ignore", maxew=each - 1, resetew=True)), 9)


def test_structures_are_saved(tmp_path):
    path = tmp_path / "outside.extxyz"
    atoms = walk(calculator(ExtrapolationPolicy("ignore", save_to=path, save_interval=3)), 7, "triclinic")
    saved = read(path, ":")
    assert len(saved) == 3
    last = saved[-1]
    np.testing.assert_array_equal(last.positions, atoms.positions)
    np.testing.assert_array_equal(last.cell, atoms.cell)
    assert last.pbc.all() and last.calc is None
    np.testing.assert_array_equal(last.arrays["outside"], narrow().evaluate(last).outside)
    assert last.info["extrapolations"] == last.arrays["outside"].sum()


def test_the_structure_is_saved_before_the_end(tmp_path):
    path = tmp_path / "outside.extxyz"
    with pytest.raises(ExtrapolationError):
        walk(calculator(ExtrapolationPolicy("stop", save_to=path)), 2)
    assert len(read(path, ":")) == 1


def test_place_where_nothing_can_be_saved(tmp_path):
    with pytest.raises(OSError, match=r"cannot save a structure to .*no/outside\.xyz: no such file or directory"):
        walk(calculator(ExtrapolationPolicy("ignore", save_to=tmp_path / "no" / "outside.xyz")), 2)


def test_forces_after_the_energy_do_not_count_twice():
    atoms = SYSTEMS["molecule"]()
    atoms.calc = calculator("ignore")
    atoms.get_potential_energy(), atoms.get_forces()
    assert atoms.calc.monitor.evaluations == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"action": "shout"}, "expected one of ignore, warn, stop, found 'shout'"),
        ({"showewsum": -1}, "showewsum: expected at least 0, found -1"),
        ({"maxew": -1}, "maxew: expected at least 0"),
        ({"save_interval": 0}, "save_interval: expected at least 1"),
        ({"action": "stop", "maxew": 5}, "choose one"),
    ],
)
def test_policies_that_make_no_sense(options, reason):
    with pytest.raises(InputError, match=reason):
        ExtrapolationPolicy(**options)


def test_monitor_of_a_word_and_of_a_policy():
    assert Monitor.of("stop").policy.limit == 0
    policy = ExtrapolationPolicy(maxew=4)
    assert Monitor.of(policy).policy is policy
    assert policy.limit == 4

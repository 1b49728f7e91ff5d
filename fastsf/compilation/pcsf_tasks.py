"""Tasks of compiling for pair-centred functions; see `fastsf.compilation.tasks`."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from fastsf.compilation.sample import ATOMS, PAIRS, Task, atom_rows, pair_gradients, run_alone, sample
from fastsf.descriptors.jacobian import empty_entries
from fastsf.descriptors.pcsf import PCSF
from fastsf.descriptors.pcsf_packing import PackedPCSF
from fastsf.kernels.dynamics.md import PCSFLoops
from fastsf.kernels.pcsf import energies as pcsf_energies
from fastsf.kernels.pcsf import jacobian as pcsf_jacobian
from fastsf.kernels.pcsf import jvp as pcsf_jvp
from fastsf.kernels.pcsf import rows as pcsf_rows
from fastsf.kernels.pcsf import values as pcsf_values
from fastsf.kernels.pcsf import vjp as pcsf_vjp
from fastsf.kernels.pcsf.tables import PCSFRows
from fastsf.kernels.pointers import Loop
from fastsf.md.pcsf_loops import make_pcsf_loops
from fastsf.potentials.pcsf_term import PairTerm, PCSFModel
from fastsf.symmetry.factors import Cutoff
from fastsf.symmetry.pcsf import PairEnvironment, PairRadial
from fastsf.types import FloatArray


class _Sample(NamedTuple):
    """No pairs that count, of the atoms of `sample`."""

    model: PCSFModel
    packed: PackedPCSF
    rows: PCSFRows
    sums: FloatArray

    def arguments(self) -> tuple[Any, ...]:
        packed = self.packed
        return packed.functions, sample().neighbors, self.rows

    def functions(self) -> FloatArray:
        return np.zeros((0, self.model.descriptor.n_features))


@cache
def _sample() -> _Sample:
    pair, cutoff = ("H", "H"), Cutoff(1.5)
    descriptor = PCSF([PairRadial(pair, cutoff), PairEnvironment(pair, "H", cutoff, 1.0)])
    term = PairTerm(descriptor, {"H-H": sample().network}, {"H-H": sample().scaling})
    none, packed = np.empty(0, np.int64), descriptor.packed
    rows = PCSFRows(np.zeros(ATOMS + 1, np.int64), none, none.copy(), np.full(PAIRS, -1))
    return _Sample(term.packed(1.0), packed, rows, np.zeros((ATOMS, packed.n_sums)))


def _rows() -> None:
    """Which pairs count."""
    few, pairs = sample(), _sample()
    given = pairs.packed.tables, few.neighbors, few.reverse, 0.0
    pcsf_rows.count_rows(*given, np.zeros(ATOMS + 1, np.int64))
    pcsf_rows.fill_rows(*given, pairs.rows)


def _values() -> None:
    pairs = _sample()
    run_alone(pcsf_values.pcsf_values_range, (*pairs.arguments(), pairs.sums), (pairs.functions(),))


def _jacobian() -> None:
    few, pairs = sample(), _sample()
    packed, none = pairs.packed, np.empty(0, np.int32)
    first, begin, end = np.zeros(ATOMS + 1, np.int64), *np.zeros((2, ATOMS, packed.n_sums), np.int64)
    pcsf_jacobian.find_columns(first, none, begin, end)
    sums, entries = pcsf_jacobian.SumJacobian(begin, end, none, np.empty((0, 3))), np.zeros(0, np.int64)
    counted = packed.functions, few.neighbors, pairs.rows, sums
    run_alone(pcsf_jacobian.pcsf_count_range, counted, (entries,))
    start, column, atom, data = empty_entries(entries)
    target = pcsf_jacobian.PCSFJacobian(start[:-1].copy(), column, atom, data.reshape(-1, 3))
    run_alone(pcsf_jacobian.pcsf_jacobian_range, (*pairs.arguments(), pairs.sums, sums), (target, pairs.functions()))


def _vjp() -> None:
    pairs = _sample()
    push, back = np.zeros((0, pairs.packed.tables.most_slots)), np.zeros((ATOMS, 1, pairs.packed.n_sums))
    arguments = (*pairs.arguments(), pairs.sums, pairs.functions(), np.empty(0))
    run_alone(pcsf_vjp.pcsf_vjp_range, arguments, (push, *pair_gradients()))
    run_alone(pcsf_rows.collect_range, (pairs.packed.tables, sample().neighbors, pairs.rows, push), (back,))


def _jvp() -> None:
    pairs = _sample()
    changes = pairs.sums, np.zeros((PAIRS, 3))
    run_alone(pcsf_jvp.pcsf_jvp_range, (*pairs.arguments(), pairs.sums, *changes), (pairs.functions(),))


def _energies() -> None:
    """What becomes of the outputs of networks."""
    few, pairs = sample(), _sample()
    energies, outside = np.empty(0), np.empty(0, np.int64)
    given = pairs.packed.tables, few.neighbors, pairs.rows, pairs.model.ends, int(pairs.model.smooth)
    run_alone(pcsf_energies.finish_rows_range, given, (energies, pairs.functions(), outside, np.empty(0)), 0)
    atoms = np.zeros(ATOMS), np.zeros(ATOMS, np.int64)
    run_alone(pcsf_energies.share_range, (few.neighbors, pairs.rows, energies, outside), atoms)


def pair_loops() -> PCSFLoops:
    """Loops for steps of dynamics, without the addresses of kernels."""
    pairs, nothing = _sample(), Loop(0, ())
    filled = np.empty(ATOMS), np.empty(ATOMS, np.int64), *pair_gradients()
    before = PCSFLoops(*(nothing,) * 8, *(atom_rows(),) * 3)
    return make_pcsf_loops(pairs.model, pairs.rows, sample().neighbors, filled, 1, before)


PAIR_TASKS = {
    "pair rows": Task(1.0, _rows),
    "pair values": Task(11.0, _values),
    "pair jacobian": Task(13.0, _jacobian),
    "pair vjp": Task(12.0, _vjp),
    "pair jvp": Task(10.0, _jvp),
    "pair energies": Task(1.5, _energies),
}

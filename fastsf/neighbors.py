"""Neighbour lists: `neighbor_list` as ASE spells it, and `Pairs` for everything inside fastsf.

A pair (i, j, S) stands for atom j, shifted by S whole cell vectors, as seen from atom i:
D = r_j - r_i + S cell, shorter than the cutoff. Every pair is there twice, as (i, j, S) and (j, i, -S). The atoms
need not be inside the cell. An atom is its own neighbour only through a periodic image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from fastsf.elements import atomic_number
from fastsf.errors import InputError
from fastsf.kernels import cells, cells_pairs, cells_search
from fastsf.structure import FloatArray, IntArray, Structure

if TYPE_CHECKING:
    from ase import Atoms

Array: TypeAlias = npt.NDArray[Any]
Cutoff: TypeAlias = "float | Mapping[tuple[Any, Any], float] | Sequence[float] | FloatArray"

_PARTS_PER_THREAD = 8
_MOST_THREADS: int = numba.get_num_threads()
_SHAPES: dict[str, tuple[int, type]] = {
    "i": (1, np.int64),
    "j": (1, np.int64),
    "d": (1, np.float64),
    "D": (3, np.float64),
    "S": (3, np.int64),
    "image": (1, np.int32),
}
"""Numbers for each pair, and their type, in the order of the fields of `PairArrays`."""


def neighbor_list(
    quantities: str, a: Atoms | Structure, cutoff: Cutoff, *, threads: int | None = None
) -> Any:
    """All pairs of atoms closer than a cutoff, as `ase.neighborlist.neighbor_list` returns them.

    Parameters
    ----------
    quantities : str
        What to return, one letter each: ``i`` and ``j`` (p,) int64, first and second atom; ``d`` (p,) float64,
        distance in Å; ``D`` (p, 3) float64, vector from i to j in Å; ``S`` (p, 3) int64, cell vectors from the given
        position of j to its image.
    a : ase.Atoms
        The structure.
    cutoff : float, dict or sequence
        In Å: one radius for all; or one for each pair of species, ``{("H", "O"): 1.2, (1, 1): 0.9}``, in either order
        and with symbols or atomic numbers, where pairs that are not named have no neighbours; or one radius for each
        atom, where atoms are neighbours if their spheres overlap (d < R_i + R_j).
    threads : int, optional
        By default as many as numba uses; 1 may be called from several Python threads at once.

    Returns
    -------
    array or tuple of arrays
        In the order of the letters; an array alone for one letter. Sorted by i.

    Raises
    ------
    InputError
        For unknown letters, and for cutoffs that are not positive and finite.
    StructureError
        For structures that cannot be used.
    """
    if not quantities or set(quantities) - set("ijdDS"):
        raise InputError(f"expected quantities out of the letters 'ijdDS', found {quantities!r}")
    structure = Structure.from_atoms(a)
    longest, limit_of = _limits(cutoff, structure.numbers)
    wanted = set(quantities) if limit_of is None else {*quantities, "i", "j", "d"}
    arrays = _find(structure, longest, wanted, threads)
    if limit_of is not None:
        near = arrays["d"] < limit_of(arrays["i"], arrays["j"])
        arrays = {name: array[near] for name, array in arrays.items() if name in quantities}
    chosen = tuple(arrays[name] for name in quantities)
    return chosen[0] if len(chosen) == 1 else chosen


class Pairs:
    """Neighbours of every atom, kept up to date while the atoms move.

    Make one with `build` or `concatenate`. Arrays are views of buffers that later updates write into: copy what must
    last.

    Attributes
    ----------
    start : (n + 1,) int64
        Pairs of atom i are start[i] to start[i + 1].
    neighbor : (p,) int64
        The other atom j.
    vector : (p, 3) float64
        r_j - r_i of that image, Å.
    cutoff : float
        Å; pairs up to cutoff + skin may be in the list.
    skin : float
        Å.
    """

    start: IntArray
    neighbor: IntArray
    vector: FloatArray

    def __init__(self, cutoff: float, skin: float = 0.0, threads: int | None = None) -> None:
        self.cutoff = _radius(cutoff)
        self.skin = float(skin)
        if not (math.isfinite(self.skin) and self.skin >= 0):
            raise InputError(f"expected a skin of at least 0 Å, found {skin}")
        self.threads = threads
        self._buffers = _Buffers()
        self._reverse: IntArray | None = None
        self._structure: Structure | None = None
        self._search: Any = None
        self._image: Array = np.empty(0, np.int32)

    @classmethod
    def build(
        cls, structure: Atoms | Structure, cutoff: float, skin: float = 0.0, threads: int | None = None
    ) -> Pairs:
        """Find the pairs of a structure.

        Parameters
        ----------
        structure : Structure or ase.Atoms
            The structure.
        cutoff : float
            Å.
        skin : float, optional
            How far beyond the cutoff pairs are kept, Å; lists are found anew when an atom has moved more than half of it.
        threads : int, optional
            By default as many as numba uses; 1 may be called from several Python threads at once.

        Raises
        ------
        InputError
            For a cutoff that is not positive or a skin that is negative.
        StructureError
            For structures that cannot be used.
        """
        pairs = cls(cutoff, skin, threads)
        pairs._rebuild(Structure.from_atoms(structure))
        return pairs

    @classmethod
    def concatenate(cls, structures: Sequence[Structure], cutoff: float, threads: int | None = None) -> Pairs:
        """Find the pairs of many structures, as one list; atoms are counted through all structures.

        Parameters
        ----------
        structures : sequence of Structure
            Any number of structures, their atoms behind each other.
        cutoff : float
            Å.
        threads : int, optional
            As for `build`.

        Returns
        -------
        Pairs
            It cannot be updated.
        """
        pairs = cls(cutoff, 0.0, threads)
        pairs._search_all(structures)
        return pairs

    def update(self, positions: npt.ArrayLike, cell: npt.ArrayLike | None = None) -> bool:
        """Follow moved atoms: new vectors, and new pairs where an atom went further than half the skin.

        Parameters
        ----------
        positions : (n, 3) array
            Å; of the same atoms, without jumps by cell vectors.
        cell : (3, 3) array, optional
            A new cell; unless equal to the old one it forces new pairs.

        Returns
        -------
        bool
            Whether the pairs were found anew; indices of pairs then have a new meaning.
        """
        old = self._structure
        if old is None:
            raise InputError("pairs of several structures cannot be updated")
        new = Structure.from_arrays(positions, old.cell if cell is None else cell, old.pbc, old.numbers)
        same_cell = cell is None or np.array_equal(new.cell, old.cell)
        if not same_cell or cells_pairs.farthest_move(new.positions, old.positions) > (self.skin / 2) ** 2:
            self._rebuild(new)
            return True
        self._refresh(new.positions, old.cell)
        return False

    @property
    def reverse(self) -> IntArray:
        """Index of the pair (j, i, -S) for each pair (i, j, S): (p,) int64. Found when first asked for."""
        if self._reverse is None:
            self._reverse = self._buffers.get("reverse", len(self.neighbor), np.int64)
            before = (self.start, self.neighbor, self.vector)
            kernels = (cells_pairs.reverse_range, cells_pairs.reverse_parallel)
            _run(kernels, before, len(self.start) - 1, (self._reverse,), self.threads)
        return self._reverse

    @property
    def shift(self) -> IntArray:
        """Cell vectors from the given position of j to its image: (p, 3) int64. A new array each time."""
        wraps = np.repeat(self._search.wraps, np.diff(self.start), axis=0)
        return np.asarray(self._search.shift[self._image] + wraps, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.neighbor)

    def _rebuild(self, structure: Structure) -> None:
        self._structure = structure
        self._search_all([structure])

    def _search_all(self, structures: Sequence[Structure]) -> None:
        self._search = search = _prepare(structures, self.cutoff + self.skin)
        self._reverse = None
        atoms = len(search.wraps)
        counts = self._buffers.get("counts", atoms, np.int64)
        self.start = self._buffers.get("start", atoms + 1, np.int64)
        most = _count(search, counts, self.start, self.threads)
        total = int(self.start[-1])
        self.neighbor = self._buffers.get("neighbor", total, np.int64)
        self.vector = self._buffers.get("vector", 3 * total, np.float64).reshape(-1, 3)
        self._image = self._buffers.get("image", total, np.int32)
        arrays = {"j": self.neighbor, "D": self.vector, "image": self._image}
        _fill(search, self.start, most, arrays, self.threads)

    def _refresh(self, positions: FloatArray, cell: FloatArray) -> None:
        wrapped = cells_pairs.move_images(self._search, positions, cell)
        before = (self._search.points, wrapped, self.start, self._image)
        kernels = (cells_pairs.refresh_range, cells_pairs.refresh_parallel)
        _run(kernels, before, len(positions), (self.vector,), self.threads)


class _Buffers:
    """Arrays that are used again, and grow by more than is asked for."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def get(self, name: str, size: int, dtype: type) -> Array:
        """Uninitialised array of that size, in the memory of the last one of that name where it fits."""
        array = self._arrays.get(name)
        if array is None or len(array) < size:
            grown = size if array is None else size + size // 4
            array = self._arrays[name] = np.empty(grown, dtype)
        return array[:size]


# --- searching ---


def _find(structure: Structure, cutoff: float, wanted: set[str], threads: int | None) -> dict[str, Array]:
    search = _prepare([structure], cutoff)
    counts, start = np.empty(len(structure), np.int64), np.empty(len(structure) + 1, np.int64)
    most = _count(search, counts, start, threads)
    arrays: dict[str, Array] = {}
    for name in wanted:
        width, dtype = _SHAPES[name]
        arrays[name] = np.empty((start[-1], 3) if width == 3 else start[-1], dtype)
    _fill(search, start, most, arrays, threads)
    return arrays


def _prepare(structures: Sequence[Structure], cutoff: float) -> Any:
    first = np.zeros(len(structures) + 1, np.int64)
    np.cumsum([len(structure) for structure in structures], out=first[1:])
    if len(structures) == 1:
        only = structures[0]
        positions, cell, periodic = only.positions, only.cell[None], only.pbc[None]
    else:
        positions = np.concatenate([np.empty((0, 3)), *(structure.positions for structure in structures)])
        cell = np.array([structure.cell for structure in structures]).reshape(-1, 3, 3)
        periodic = np.array([structure.pbc for structure in structures], np.bool_).reshape(-1, 3)
    lattices = cells.locate(first, positions, cell, periodic)
    if len(structures) == 1 and not periodic.all():
        _close_gaps(lattices, cutoff)
    return cells.prepare(lattices, cutoff, _squared_limit(cutoff))


def _close_gaps(lattices: Any, cutoff: float) -> None:
    """Move far clusters together, for binning only: empty space between them would cost bins and time."""
    place, height = lattices.place, lattices.height[0]
    open_axes = np.flatnonzero(~lattices.periodic[0])
    if np.prod(1 + height[open_axes] / cutoff) < 100 + len(place):
        return
    for k in open_axes:
        order = np.argsort(place[:, k])
        steps = np.minimum(np.diff(place[order, k], prepend=0.0), 2 * cutoff)
        place[order, k] = np.cumsum(steps)
        height[k] = place[order[-1], k]


def _count(search: Any, counts: IntArray, start: IntArray, threads: int | None) -> int:
    kernels = (cells_search.count_range, cells_search.count_parallel)
    _run(kernels, (search,), int(search.home[-1]), (counts,), threads)
    return int(cells_search.accumulate(counts, start))


def _fill(search: Any, start: IntArray, most: int, arrays: Mapping[str, Array], threads: int | None) -> None:
    fields = {name: arrays.get(name, np.empty(0, dtype)).reshape(-1) for name, (_, dtype) in _SHAPES.items()}
    kernels = (cells_search.fill_range, cells_search.fill_parallel)
    after = (start, most, cells_search.PairArrays(**fields))
    _run(kernels, (search,), int(search.home[-1]), after, threads)


def _squared_limit(cutoff: float) -> float:
    """Smallest square whose root is not below the cutoff, so that squares compare exactly as distances do."""
    limit = cutoff * cutoff
    while math.sqrt(math.nextafter(limit, 0.0)) >= cutoff:
        limit = math.nextafter(limit, 0.0)
    return limit


def _run(
    kernels: tuple[Any, Any], before: tuple[Any, ...], total: int, after: tuple[Any, ...], threads: int | None
) -> None:
    """Call a `*_range` kernel on `total` things, or its parallel driver on blocks of them."""
    if threads is not None and threads < 1:
        raise InputError(f"expected at least one thread, found {threads}")
    used = numba.get_num_threads() if threads is None else min(threads, _MOST_THREADS)
    serial, parallel = kernels
    if used == 1 or total < 2:
        serial(*before, 0, total, *after)
        return
    with _numba_threads(used):
        parallel(*before, total, min(_PARTS_PER_THREAD * used, total), *after)


@contextmanager
def _numba_threads(threads: int) -> Iterator[None]:
    usual = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        yield
    finally:
        numba.set_num_threads(usual)


# --- cutoffs ---


def _radius(cutoff: Any) -> float:
    try:
        radius = float(cutoff)
    except (TypeError, ValueError):
        radius = math.nan
    if not (math.isfinite(radius) and radius > 0):
        raise InputError(f"expected a cutoff that is a positive number of Å, found {cutoff!r}")
    return radius


def _limits(
    cutoff: Cutoff, numbers: IntArray
) -> tuple[float, Callable[[IntArray, IntArray], FloatArray] | None]:
    """Longest cutoff, and the function that gives that of each pair (i, j) unless there is but one."""
    if isinstance(cutoff, Mapping):
        table = _species_table(cutoff, numbers)
        return _radius(table.max(initial=0.0)), lambda i, j: table[numbers[i], numbers[j]]
    if np.ndim(cutoff) == 0:
        return _radius(cutoff), None
    radii = np.asarray(cutoff, dtype=np.float64)
    if radii.shape != numbers.shape:
        raise InputError(
            f"expected one radius for each of the {len(numbers)} atoms, found shape {radii.shape}"
        )
    if not (np.isfinite(radii) & (radii >= 0)).all():
        raise InputError("expected radii of atoms that are finite and not negative")
    return _radius(2 * radii.max(initial=0.0)), lambda i, j: radii[i] + radii[j]


def _species_table(cutoff: Mapping[tuple[Any, Any], float], numbers: IntArray) -> FloatArray:
    given: dict[tuple[int, ...], float] = {}
    for pair, value in cutoff.items():
        first, second = sorted(atomic_number(name) if isinstance(name, str) else int(name) for name in pair)
        radius = _radius(value)
        if given.setdefault((first, second), radius) != radius:
            raise InputError(
                f"two different cutoffs for the pair {pair}: {given[first, second]} and {radius} Å"
            )
    size = int(max(numbers.max(initial=0), *(max(pair) for pair in given), 0)) + 1
    table = np.zeros((size, size))
    for (first, second), radius in given.items():
        table[first, second] = table[second, first] = radius
    return table

"""Calls of the kernels of the neighbour search: memory, threads and the order of steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fastsf.errors import InputError
from fastsf.kernels.pairs import cells
from fastsf.kernels.pairs import images as cells_images
from fastsf.kernels.pairs import search as cells_search
from fastsf.neighbors import memory as recycling
from fastsf.structure import Structure
from fastsf.threads import run
from fastsf.types import FloatArray, IntArray

Array: TypeAlias = npt.NDArray[Any]

SHAPES: dict[str, tuple[int, type]] = {
    "i": (1, np.int64),
    "j": (1, np.int64),
    "d": (1, np.float64),
    "D": (3, np.float64),
    "S": (3, np.int64),
    "image": (1, np.int32),
}
"""Numbers per pair and their type, in the order of the fields of `PairArrays`."""

_PADDING = 8
"""Elements after arrays that kernels read as vectors."""

_MOST_BINS = 2**31

_BEYOND_SINGLE = 1e14
"""Å; beyond this length, float32 decides about no pair."""

_SHARED_FROM = 2000
"""Atoms or bins below which one thread is faster."""

_SMALL = 2**25
"""Bytes of results below which they share a block of memory."""


class Buffers:
    """Arrays that are used again, grow by more than requested, and can be read as whole vectors."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def get(self, name: str, size: int, dtype: type) -> Array:
        """Return an uninitialised array of that size, in the memory of the last one of that name if it fits."""
        array = self._arrays.get(name)
        if array is None or len(array) < size + _PADDING:
            grown = size if array is None else size + size // 4
            array = self._arrays[name] = np.empty(grown + _PADDING, dtype)
        return array[:size]

    def padded(self, name: str) -> Array:
        """Return the whole array of that name, with at least eight elements after the requested ones."""
        return self._arrays[name]

    def rows(self, name: str, size: int, dtype: type) -> Array:
        """Return an array like that of `get`, with three numbers in each of `size` rows."""
        return self.get(name, 3 * size, dtype).reshape(-1, 3)


class Prepared(NamedTuple):
    """Structures that are ready for the search; the tuples are those of `fastsf.kernels.pairs.cells`."""

    lattices: Any
    search: Any

    @property
    def bins(self) -> int:
        """Number of bins inside cells, over which the search runs."""
        return int(self.search.cut[-1, cells.FIRST, cells.INSIDE])


def prepare(structures: Sequence[Structure], cutoff: float, buffers: Buffers, threads: int | None) -> Prepared:
    """Make the images that the cutoff reaches, and sort them into bins.

    Raises
    ------
    InputError
        If the cutoff reaches too many cells.
    """
    lattices = _locate(structures, buffers, threads)
    if len(structures) == 1 and not lattices.periodic.all():
        _close_gaps(lattices, cutoff)
    atoms = len(lattices.wraps)
    cut = np.zeros((len(lattices.cell) + 1, 4, 3), np.int64)
    bins = cells.Bins(cut, *(buffers.rows(name, atoms, np.int64) for name in ("bin", "lower", "upper")))
    cells.choose_bins(lattices, cutoff, bins)
    if (cut[:-1, cells.COUNT] + 2.0 * cut[:-1, cells.PAD]).prod(axis=1).sum() > _MOST_BINS:
        raise InputError(f"expected a shorter cutoff, found {cutoff} Å, which reaches more than {_MOST_BINS} cells")
    run(threads, cells.bin_range, (lattices, cutoff, bins), atoms, (), shared_from=_SHARED_FROM)
    first = buffers.get("first", cut[-1, cells.FIRST, cells.ALL] + 1, np.int64)
    room = cells_images.count_images(lattices, bins, first)
    images = int(first[-1])
    search = cells.Search(
        cut,
        first,
        buffers.get("atom", images, np.int32),
        buffers.get("points", 8 * images, np.float64),
        buffers.get("center", 3 * (images + _PADDING), np.float64),
        buffers.rows("shift", images, np.int64),
        buffers.get("moved", images + 1, np.int64),
        room,
        cutoff,
        _blur(cutoff, _largest(lattices.wrapped)),
        _squared_limit(cutoff),
    )
    run(threads, cells_images.sort_range, (lattices, bins, search), len(first) - 1, (), shared_from=_SHARED_FROM)
    cells_images.finish_sorting(search)
    return Prepared(lattices, search)


def _locate(structures: Sequence[Structure], buffers: Buffers, threads: int | None) -> Any:
    m = len(structures)
    first = np.zeros(m + 1, np.int64)
    np.cumsum([len(structure) for structure in structures], out=first[1:])
    n = int(first[-1])
    if m == 1:
        positions, cell, periodic = structures[0].positions, structures[0].cell[None], structures[0].pbc[None]
    else:
        positions = np.concatenate([np.empty((0, 3)), *(structure.positions for structure in structures)])
        cell = np.array([structure.cell for structure in structures]).reshape(m, 3, 3)
        periodic = np.array([structure.pbc for structure in structures], np.bool_).reshape(m, 3)
    lattices = cells.Lattices(
        first,
        cell,
        periodic,
        np.empty((m, 3, 3), np.int64),
        np.empty((m, 3, 3)),
        np.empty((m, 3)),
        buffers.rows("wrapped", n, np.float64),
        buffers.rows("wraps", n, np.int64),
        buffers.rows("depth", n, np.float64),
    )
    cells.reduce_cells(lattices, np.empty((3, 3)))
    run(threads, cells.wrap_range, (lattices, positions), n, (), shared_from=_SHARED_FROM)
    cells.measure_extent(lattices)
    return lattices


def _close_gaps(lattices: Any, cutoff: float) -> None:
    """Move distant clusters together, for binning only; empty space between them would cost bins and time."""
    depth, height = lattices.depth, lattices.height[0]
    open_axes = np.flatnonzero(~lattices.periodic[0])
    if np.prod(1 + height[open_axes] / cutoff) < 100 + len(depth):
        return
    for k in open_axes:
        order = np.argsort(depth[:, k])
        steps = np.minimum(np.diff(depth[order, k], prepend=0.0), 2 * cutoff)
        depth[order, k] = np.cumsum(steps)
        height[k] = depth[order[-1], k]


def _squared_limit(cutoff: float) -> float:
    """Return the smallest square whose root is not below the cutoff, so that squares compare like distances."""
    limit = cutoff * cutoff
    while math.sqrt(math.nextafter(limit, 0.0)) >= cutoff:
        limit = math.nextafter(limit, 0.0)
    return limit


def _largest(coordinates: FloatArray) -> float:
    return float(max(-coordinates.min(), coordinates.max())) if coordinates.size else 0.0


def _blur(cutoff: float, largest: float) -> float:
    """Return a bound for the error of a distance in float32, apart from that by the distance to the origin."""
    return math.inf if cutoff > _BEYOND_SINGLE else 1e-6 * cutoff + 1e-14 * largest


def count(prepared: Prepared, start: IntArray, buffers: Buffers, threads: int | None) -> None:
    """Find where the pairs of each atom begin, into `start` (n + 1,)."""
    counts = buffers.get("counts", len(start) - 1, np.int64)
    _search(prepared, (start, True, _pair_arrays({}), counts), threads)
    cells_search.accumulate(counts, start)


def fill(
    prepared: Prepared, start: IntArray, arrays: Mapping[str, Array], threads: int | None, blank: bool = False
) -> None:
    """Write the pairs into arrays, named as in `SHAPES`; `blank` if they are zero already."""
    _search(prepared, (start, blank, _pair_arrays(arrays), np.empty(0, np.int64)), threads)


def _search(prepared: Prepared, results: tuple[Any, ...], threads: int | None) -> None:
    run(threads, cells_search.search_range, (prepared.search,), prepared.bins, results)


def _pair_arrays(arrays: Mapping[str, Array]) -> Any:
    fields = {name: arrays.get(name, np.empty(0, dtype)).reshape(-1) for name, (_, dtype) in SHAPES.items()}
    return cells_search.PairArrays(**fields)


def find(structure: Structure, cutoff: float, wanted: set[str], threads: int | None) -> dict[str, Array]:
    """Return the pairs of one structure in new arrays, named as in `SHAPES`."""
    buffers = Buffers()
    prepared = prepare([structure], cutoff, buffers, threads)
    start = np.empty(len(structure) + 1, np.int64)
    count(prepared, start, buffers, threads)
    arrays, blank = _new_arrays(wanted, int(start[-1]))
    fill(prepared, start, arrays, threads, blank)
    return arrays


def _new_arrays(names: set[str], pairs: int) -> tuple[dict[str, Array], bool]:
    """Return arrays for results, and True if shifts are already zero.

    Small arrays are parts of one block, since NumPy requests huge pages from 4 MiB on, which is
    many times faster. Larger arrays are separate, so that one that is kept does not keep the
    others. The largest come from the system, which sets them to zero; zeros of the result, such as
    most shifts, are then not written.
    """
    numbers = pairs * sum(SHAPES[name][0] for name in names)
    small, blank = 8 * numbers < _SMALL, 8 * numbers > recycling.MOST_KEPT
    block = np.empty(numbers if small else 0, np.int64)
    arrays: dict[str, Array] = {}
    used = 0
    for name in sorted(names):
        width, dtype = SHAPES[name]
        size = width * pairs
        new = (np.zeros if name == "S" else np.empty) if blank else recycling.empty
        flat: Array = block[used : used + size].view(dtype) if small else new(size, dtype)
        arrays[name] = flat.reshape(-1, 3) if width == 3 else flat
        used += size
    return arrays, blank

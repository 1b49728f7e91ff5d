"""Streams of structures: all formats in one pass, broken frames, errors before the first frame, labels."""

from __future__ import annotations

import gzip
import tracemalloc
from itertools import islice
from pathlib import Path

import ase.db
import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.io.trajectory import Trajectory
from ase.units import Bohr, Hartree
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import REPEATABLE, WORDS, mutations

from fastsf.errors import FormatError, InputError, StorageError, StructureError
from fastsf.io import structures
from fastsf.io.formats import recognition
from fastsf.io.formats.recognition import file_format
from fastsf.io.input_data_writer import write_input_data
from fastsf.io.labels import labels_of
from fastsf.io.structures import expand_paths, iread_structures

FRAMES = """\
2
Lattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3:forces:R:3 energy=-1.5 name=first
H 0.0 0.0 0.0 1.0 0.0 0.0
O 0.5 0.0 0.0 -1.0 0.0 0.0
1
Properties=species:S:1:pos:R:3 energy=-2.5 name=second
Cu 1.0 2.0 3.0

3
Properties=species:S:1:pos:R:3:tag:I:1 name=third
H 0.0 0.0 0.0 1
H 1.0 0.0 0.0 2
H 2.0 0.0 0.0 3
"""


def frames(n: int, seed: int = 0) -> list[Atoms]:
    """Return structures of different sizes with labels."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        atoms = bulk("Si", cubic=True) if number % 2 else molecule("CH3CH2OH")
        atoms.rattle(0.1, rng=rng)
        results = {"energy": -float(number), "forces": rng.normal(size=(len(atoms), 3))}
        if atoms.pbc.all():
            results["stress"] = rng.normal(size=6)
        atoms.calc = SinglePointCalculator(atoms, **results)
        atoms.info["number"] = number
        made.append(atoms)
    return made


def read(*args, **kwargs) -> list[Atoms]:
    """Return the structures of a stream without errors."""
    items = list(iread_structures(*args, **kwargs))
    for _, _, item in items:
        if isinstance(item, FormatError):
            raise item
    return [item for _, _, item in items]


def assert_same(one: Atoms, two: Atoms, atol: float = 0.0) -> None:
    assert (one.numbers == two.numbers).all() and (one.pbc == two.pbc).all()
    np.testing.assert_allclose(one.positions, two.positions, atol=atol)
    np.testing.assert_allclose(one.cell.array, two.cell.array, atol=atol)
    first, second = labels_of(one), labels_of(two)
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], atol=atol)


@pytest.mark.parametrize("name", ["a.extxyz", "a.xyz", "a.xyz.gz", "a.extxyz.xz", "a.traj", "a.db", "a.json"])
def test_every_format_gives_what_was_written(tmp_path, name):
    path = tmp_path / name
    written = frames(7)
    ase.io.write(path, written)
    items = list(iread_structures(path))
    assert [(source, frame) for source, frame, _ in items] == [(path, frame) for frame in range(7)]
    for atoms, (_, _, item) in zip(written, items, strict=True):
        assert_same(item, atoms, atol=1e-7)  # XYZ holds eight decimals


@pytest.mark.parametrize("name", ["POSCAR", "a.cif", "a.xsf", "XDATCAR"])
def test_formats_left_to_ase(tmp_path, name):
    path = tmp_path / name
    atoms = bulk("Si", cubic=True)
    form = {"XDATCAR": "vasp-xdatcar", "POSCAR": "vasp"}.get(name)
    ase.io.write(path, atoms, format=form)
    (item,) = read(path)
    assert len(item) == 8
    np.testing.assert_allclose(item.cell.array, atoms.cell.array, atol=1e-6)


def test_extended_xyz_is_read_as_ase_reads_it(tmp_path):
    path = tmp_path / "a.xyz"
    written = frames(4)
    written[1].info["REF_energy"] = -3.5
    written[1].arrays["tag"] = np.arange(8)
    ase.io.write(path, written)
    for ours, theirs in zip(read(path), ase.io.read(path, ":"), strict=True):
        assert ours == theirs
        assert ours.info == theirs.info
        assert ours.arrays.keys() == theirs.arrays.keys()


def test_input_data_is_known_by_name_and_content(tmp_path):
    written = frames(3)
    for name in ("input.data", "train.data", "train.input.data.gz"):
        path = tmp_path / name
        write_input_data(path, written, "Bohr", "Hartree")
        assert file_format(path) == "input.data"
        read_back = read(path, length_unit="Bohr", energy_unit="Hartree")
        for one, two in zip(read_back, written, strict=True):
            np.testing.assert_allclose(one.positions, two.positions, atol=1e-12)
            np.testing.assert_allclose(labels_of(one)["forces"], labels_of(two)["forces"], atol=1e-12)
    assert read(path)[0].positions == pytest.approx(written[0].positions / Bohr)
    assert labels_of(read(path)[1])["energy"] == pytest.approx(-1.0 / Hartree)
    other = tmp_path / "lammps.data"
    other.write_text("LAMMPS data file\n\n1 atoms\n")
    with pytest.raises(FormatError, match=r"lammps\.data: the format of this file is not known; --format NAME"):
        file_format(other)


def test_broken_frames_are_reported_where_they_stand(tmp_path):
    path = tmp_path / "a.xyz"
    good = "1\nname=good\nH 0 0 0\n"
    path.write_text(
        good
        + "1\nname=word\nH 0 zero 0\n"
        + good
        + "2\nname=short\nH 0 0 0\n"
        + good
        + "1\nname=long\nH 0 0 0\nH 1 0 0\nH 2 0 0\n\n"
        + good
        + "1\nname=unknown\nXx 0 0 0\n"
        + "\n  \n"
        + good
        + "3\nname=cut\nH 0 0 0\nH 1 0 0\n"
    )
    items = list(iread_structures(path))
    assert [frame for _, frame, _ in items] == list(range(11))
    found = [item.info["name"] if isinstance(item, Atoms) else str(item) for _, _, item in items]
    where = f"{path}:"
    assert found[0] == found[2] == found[4] == found[7] == found[9] == "good"
    assert found[1].startswith(f"{where}4, frame 1: not a frame of an XYZ file: ValueError")
    assert found[3].startswith(f"{where}10, frame 3: expected 2 atoms, found the end of the frame after 1")
    assert found[5] == "long"
    assert found[6].startswith(f"{where}19, frame 6: expected the number of atoms of a frame, found 'H 1 0 0'")
    assert found[8].startswith(f"{where}25, frame 8: not a frame of an XYZ file: KeyError: 'Xx'")
    assert found[10].startswith(f"{where}33, frame 10: expected 3 atoms, found the end of the frame after 2")


def test_broken_blocks_of_input_data_are_reported_where_they_stand(tmp_path):
    path = tmp_path / "input.data"
    good = "begin\natom 0 0 0 H 0 0 0 0 0\nend\n"
    path.write_text(good + good.replace("atom 0", "atom x") + good + "begin\n" + good + "stray\nstray\n" + good)
    items = list(iread_structures(path))
    kinds = [type(item) for _, _, item in items]
    assert kinds == [Atoms, FormatError, Atoms, FormatError, Atoms, FormatError, Atoms]
    assert [item.line for _, _, item in items if isinstance(item, FormatError)] == [5, 11, 14]


def test_frames_with_cell_vectors_and_counts_as_comments(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text("1\n17\nH 0 0 0\nVEC1 2.0 0 0\nVEC2 0 3.0 0\nVEC3 0 0 4.0\n1\n18\nO 0 0 0\n")
    first, second = read(path)
    assert first.cell.lengths().tolist() == [2.0, 3.0, 4.0] and first.pbc.all()
    assert second.symbols[0] == "O" and not second.pbc.any()


def test_damaged_files_do_not_stop_the_others(tmp_path):
    ase.io.write(tmp_path / "whole.xyz", frames(2))
    ase.io.write(tmp_path / "whole.traj", frames(3))
    packed = gzip.compress((tmp_path / "whole.xyz").read_bytes() * 50)
    (tmp_path / "a_cut.xyz.gz").write_bytes(packed[: len(packed) // 2])
    data = (tmp_path / "whole.traj").read_bytes()
    (tmp_path / "b_cut.traj").write_bytes(data[: len(data) // 2])
    (tmp_path / "c_text.traj").write_text("this is no trajectory")
    (tmp_path / "d_text.db").write_text("this is no database")
    (tmp_path / "e_text.json").write_text("{")
    (tmp_path / "f_blank.xyz").write_text("\n\n")
    with Trajectory(tmp_path / "g_none.traj", "w"):
        pass
    items = list(iread_structures([*sorted(tmp_path.glob("[a-g]_*")), tmp_path / "whole.traj"]))
    broken = [(path.name, str(item)) for path, _, item in items if isinstance(item, FormatError)]
    assert [name for name, _ in broken] == [path.name for path in sorted(tmp_path.glob("[a-g]_*"))]
    assert "damaged or cut off" in broken[0][1]
    assert all("ASE cannot read it as" in message for _, message in broken[1:5])
    assert all("expected at least one structure in the file" in message for _, message in broken[5:])
    assert list(iread_structures(tmp_path / "f_blank.xyz", skip=1)) == []
    assert sum(path.name == "whole.traj" and isinstance(item, Atoms) for path, _, item in items) == 3


def test_broken_frame_inside_a_trajectory(tmp_path, monkeypatch):
    path = tmp_path / "a.traj"
    ase.io.write(path, frames(3))
    whole = structures.TrajectoryReader.__getitem__

    def broken(self, frame=-1):
        if frame == 1:
            raise KeyError("positions")
        return whole(self, frame)

    monkeypatch.setattr(structures.TrajectoryReader, "__getitem__", broken)
    items = [item for _, _, item in iread_structures(path)]
    assert [type(item) for item in items] == [Atoms, FormatError, Atoms]
    assert str(items[1]) == f"{path}, frame 1: ASE cannot read it as traj: KeyError: 'positions'"


def test_database_in_blocks_with_gaps(tmp_path, monkeypatch):
    monkeypatch.setattr(structures, "DATABASE_BLOCK", 3)
    path = tmp_path / "a.db"
    with ase.db.connect(path) as database:
        for number, atoms in enumerate(frames(11)):
            database.write(atoms, REF_energy=number + 0.5, data={"REF_forces": atoms.get_forces() + 1})
        database.delete([4, 5, 6, 11])
    read_back = read(path)
    assert [labels_of(atoms, energy_key="REF_energy")["energy"] for atoms in read_back] == [
        0.5,
        1.5,
        2.5,
        6.5,
        7.5,
        8.5,
        9.5,
    ]
    first = labels_of(read_back[0], forces_key="REF_forces")
    np.testing.assert_allclose(first["forces"], labels_of(read_back[0], forces_key="forces")["forces"] + 1)


def test_patterns(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "folder.xyz").mkdir()
    for name in ("b.xyz", "a.xyz", "sub/c.xyz", "odd[1].xyz"):
        ase.io.write(tmp_path / name, frames(1))
    names = [path.relative_to(tmp_path).as_posix() for path in expand_paths(f"{tmp_path}/?.xyz")]
    assert names == ["a.xyz", "b.xyz"]
    assert len(expand_paths(f"{tmp_path}/**/*.xyz")) == 4
    assert expand_paths(tmp_path / "odd[1].xyz") == [tmp_path / "odd[1].xyz"]
    twice = expand_paths([tmp_path / "b.xyz", f"{tmp_path}/*.xyz"])
    assert [path.name for path in twice] == ["b.xyz", "a.xyz", "odd[1].xyz"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expand_paths("~/a*.xyz") == [tmp_path / "a.xyz"]
    assert len(read("~/b.xyz")) == 1


def test_errors_come_before_the_first_structure(tmp_path, monkeypatch):
    good = tmp_path / "good.xyz"
    ase.io.write(good, frames(1))
    for name, content in {"empty.xyz": b"", "empty.xyz.gz": gzip.compress(b""), "a.unknown": b"text"}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "no.xyz.gz").write_bytes(b"not compressed")
    cases = {
        "nowhere.xyz": (StorageError, r"nowhere\.xyz: No such file"),
        "*.cif": (StorageError, r"\*\.cif: no file matches"),
        ".": (StorageError, "expected a file of structures, found a folder"),
        "empty.xyz": (FormatError, r"empty\.xyz: the file is empty"),
        "empty.xyz.gz": (FormatError, r"empty\.xyz\.gz: the file is empty"),
        "no.xyz.gz": (FormatError, "damaged"),
        "a.unknown": (FormatError, r"a\.unknown: the format of this file is not known; --format NAME"),
    }
    for name, (kind, said) in cases.items():
        with pytest.raises(kind, match=said):
            iread_structures([good, tmp_path / name])
    with pytest.raises(InputError, match="expected at least one file of structures"):
        iread_structures([])
    with pytest.raises(InputError, match="unknown length unit"):
        iread_structures(good, length_unit="foot")

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(recognition, "open_binary", refuse)
    with pytest.raises(StorageError, match=r"good\.xyz: Permission denied"):
        iread_structures(good)


def test_skipped_frames_are_not_parsed(tmp_path, monkeypatch):
    ase.io.write(tmp_path / "a.xyz", frames(4))
    write_input_data(tmp_path / "b.data", frames(4))
    parsed = []
    for name in ("parse_frame", "read_block"):
        real = getattr(structures, name)
        monkeypatch.setattr(structures, name, lambda *args, real=real: (parsed.append(1), real(*args))[1])
    paths = [tmp_path / "a.xyz", tmp_path / "b.data"]
    everything = list(iread_structures(paths))
    assert len(parsed) == 8
    for skip in (0, 3, 4, 6, 8, 9):
        parsed.clear()
        rest = list(iread_structures(paths, skip=skip))
        assert [(path, frame) for path, frame, _ in rest] == [(path, frame) for path, frame, _ in everything[skip:]]
        assert len(parsed) == len(rest) == max(8 - skip, 0)


def test_is_read_frame_by_frame(tmp_path):
    ase.io.write(tmp_path / "short.xyz", frames(20))
    text = (tmp_path / "short.xyz").read_text()
    with gzip.open(tmp_path / "long.xyz.gz", "wt") as file:
        for _ in range(40):
            file.write(text)

    def peak(path: Path) -> int:
        tracemalloc.start()
        number = sum(1 for _ in iread_structures(path))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert number in (20, 800)
        return most

    peak(tmp_path / "short.xyz")
    assert peak(tmp_path / "long.xyz.gz") < 2 * peak(tmp_path / "short.xyz") + 500_000
    assert len(text) * 40 > 800_000
    (tmp_path / "tail.xyz").write_text(text + "never read")
    assert len(list(islice(iread_structures(tmp_path / "tail.xyz"), 20))) == 20


def test_labels_of_the_calculator():
    atoms = frames(2)[1]
    atoms.set_constraint(FixAtoms([0]))
    found = labels_of(atoms)
    assert found["energy"] == -1.0
    assert found["forces"].shape == (8, 3) and found["forces"][0].any()
    np.testing.assert_array_equal(found["stress"], atoms.calc.results["stress"])
    assert labels_of(Atoms("H")) == {}
    atoms.calc = SinglePointCalculator(atoms, free_energy=-7.0)
    assert labels_of(atoms) == {"energy": -7.0}
    assert labels_of(atoms, energy_key="free_energy") == {"energy": -7.0}


def test_labels_under_other_keys(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text(
        '2\nProperties=species:S:1:pos:R:3:REF_forces:R:3 REF_energy=-1.5 REF_stress="1 2 3 2 5 6 3 6 9" '
        'energy=0.5 virial="1 0 0 0 1 0 0 0 1"\nH 0 0 0 1 2 3\nH 1 0 0 -1 -2 -3\n'
    )
    (atoms,) = read(path)
    assert labels_of(atoms, energy_key="energy", forces_key="none", stress_key="none") == {"energy": 0.5}
    found = labels_of(atoms)
    assert found["energy"] == -1.5
    assert found["forces"].tolist() == [[1, 2, 3], [-1, -2, -3]]
    assert found["stress"].tolist() == [1, 5, 9, 6, 3, 2]
    with pytest.raises(InputError) as caught:
        labels_of(atoms, forces_key="DFT_forces")
    assert str(caught.value) == (
        "no 'DFT_forces' in this structure; available keys: results of the calculator: energy; "
        "info: REF_energy, REF_stress, virial; arrays: numbers, positions, REF_forces"
    )
    assert "stress" not in labels_of(atoms, stress_key="virial"), "there is no volume"


@pytest.mark.parametrize(
    ("info", "keys", "said"),
    [
        ({"E": "low"}, {"energy_key": "E"}, "E: expected numbers, found 'low'"),
        ({"E": [1.0, 2.0]}, {"energy_key": "E"}, r"E: expected numbers of shape \(\), found \(2,\)"),
        ({"E": np.nan}, {"energy_key": "E"}, "E: not finite"),
        ({"F": np.zeros((3, 3))}, {"forces_key": "F"}, r"F: expected numbers of shape \(2, 3\)"),
        ({"S": np.zeros(3)}, {"stress_key": "S"}, r"S: .* \(6,\) or \(3, 3\) or \(9,\), found \(3,\)"),
        ({"S": np.triu(np.ones((3, 3)))}, {"stress_key": "S"}, "symmetric"),
    ],
)
def test_labels_that_do_not_fit(info, keys, said):
    atoms = Atoms("H2", info=info)
    with pytest.raises(StructureError, match=said):
        labels_of(atoms, **keys)


def test_reference_data_sets(shared):
    items = list(iread_structures(shared / "data" / "Si_test.extxyz.gz"))
    assert len(items) == 25
    found = [labels_of(atoms) for _, _, atoms in items]
    assert all(sorted(label) == ["energy", "forces", "stress"] for label in found)


GARBAGE = st.lists(st.lists(WORDS | st.text(max_size=8), max_size=8).map(" ".join), max_size=8).map("\n".join)


@REPEATABLE
@given(mutations(FRAMES) | GARBAGE.map(lambda garbage: f"2\nname=x\n{garbage}"))
def test_damaged_frames_give_errors_or_structures(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("xyz") / "a.xyz"
    path.write_text(text, encoding="utf-8", errors="replace")
    for number, (source, frame, item) in enumerate(iread_structures(path)):
        assert (source, frame) == (path, number)
        assert isinstance(item, Atoms) or str(item).startswith(str(path))

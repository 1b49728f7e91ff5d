"""Pictures show the factors of the formulas and the statistics of the columns."""

import math

import numpy as np
import pytest
from ase import Atoms
from matplotlib.image import imread

from fastsf import (
    ACSF,
    G1,
    G2,
    G3,
    G4,
    G5,
    PCSF,
    Angular,
    Compact,
    Cutoff,
    PairAngular,
    PairEnvironment,
    PairRadial,
    Power,
    Radial,
    StorageError,
    Window,
)
from fastsf.descriptors.statistics import ColumnStatistics
from fastsf.reports import shapes
from fastsf.reports.functions import functions_figure
from fastsf.reports.pictures import plot_functions, plot_ranges
from fastsf.reports.ranges import ranges_figure

R = np.array([0.3, 1.0, 2.5, 4.9, 5.1])


def cosine(r, radius):
    return np.where(r < radius, 0.5 * (1 + np.cos(math.pi * r / radius)), 0.0)


def test_distance_factors_are_those_of_the_formulas():
    weighted = G2("O", None, 0.4, 5.0, rs=1.5)
    cosines = G3("Cu", "S", 2.0, 5.0)
    narrow = G4("O", ("H", "H"), 0.1, 4.0, -1.0, 5.0)
    curves = shapes.distance_curves([shapes.distance_factor(f) for f in (weighted, cosines, narrow)], R)
    expected = (
        np.exp(-0.4 * (R - 1.5) ** 2) * cosine(R, 5.0),
        np.cos(2.0 * R) * cosine(R, 5.0),
        np.exp(-0.1 * R**2) * cosine(R, 5.0),
    )
    for found, values in zip(curves.values(), expected, strict=True):
        np.testing.assert_allclose(found, values, rtol=1e-12, atol=1e-14)


def test_compact_factors_end_at_their_edges():
    factor = shapes.distance_factor(Radial("H", "H", Compact(1.0, 5.0, "poly2")))
    found = shapes.distance_curves([factor], np.array([0.9, 1.0, 3.0, 5.0]))[factor]
    np.testing.assert_allclose(found, [0.0, 0.0, 1.0, 0.0], atol=1e-14)


def test_angle_factors_are_those_of_the_formulas():
    theta = np.array([0.0, 10.0, 90.0, 135.0, 180.0])
    angles = [Power(1.0, 1.0), Power(4.0, -1.0), Power(2.5, 0.5), Window(90.0, 270.0, "poly2")]
    curves = shapes.angle_curves(angles, theta)
    cos = np.cos(np.radians(theta))
    for angle in angles[:3]:
        values = 2 ** (1 - angle.zeta) * (1 + angle.lam * cos) ** angle.zeta
        np.testing.assert_allclose(curves[angle], values, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(curves[angles[3]], [0.0, 0.0, 0.0, 0.5, 1.0], atol=1e-7)


def test_groups_join_equal_numbers():
    functions = [G2("O", n, eta, 5.0) for n in ("H", "O") for eta in (0.1, 0.2)]
    functions += [G4("O", pair, 0.1, zeta, 1.0, 5.0) for pair in (("H", "H"), ("H", "O")) for zeta in (1, 4)]
    functions += [G5("O", ("O", "O"), 0.1, 1, 1.0, 5.0), G1("O", None, 6.0)]
    found = shapes.groups(functions)
    assert [(g.family, g.neighbors, [(p.of, len(p.factors)) for p in g.panels]) for g in found] == [
        ("G2", ("H", "O"), [("r$_{ij}$ (Å)", 2)]),
        ("G4", ("H,H", "H,O"), [("angle at the centre (degrees)", 2), ("r$_{ij}$, r$_{ik}$ and r$_{jk}$ (Å)", 1)]),
        ("G5", ("O,O",), [("angle at the centre (degrees)", 1), ("r$_{ij}$ and r$_{ik}$ (Å)", 1)]),
        ("wG1", ("all",), [("r$_{ij}$ (Å)", 1)]),
    ]


def pcsf_functions():
    near, far, pair = Cutoff(4.0), Cutoff(6.0), ("H", "O")
    return [
        PairRadial(pair, None),
        *(PairRadial(pair, far, 2.0, rs) for rs in (1.0, 2.0)),
        *(PairEnvironment(pair, k, far, 0.3, 1.0, 0.2, 0.5) for k in ("H", "O")),
        *(PairAngular(pair, k, near, Power(zeta, -1.0), 0.1) for k in ("H", "O") for zeta in (1.0, 4.0)),
        PairAngular(pair, "H", near, Power(1.0, -1.0), 0.1, apex="third"),
        PairAngular(pair, "H", Compact(0.0, 5.0), Window(20.0, 160.0), apex="both"),
    ]


def test_groups_of_pair_functions():
    found = shapes.groups(pcsf_functions())
    three = "R$_{ij}$, R$_{ik}$ and R$_{jk}$ (Å)"
    assert [(g.family, g.neighbors, [(p.of, len(p.factors)) for p in g.panels]) for g in found] == [
        ("pair-gaussian", (), [("R$_{ij}$ (Å)", 2)]),
        ("pair-G3", ("H", "O"), [("R$_{ij}$ (Å)", 1), ("R$_{ik}$ or R$_{jk}$ (Å)", 1)]),
        ("pair-G4", ("H", "O"), [("angle at O (degrees)", 2), (three, 1)]),
        ("pair-G4", ("H",), [("angle at k (degrees)", 1), (three, 1)]),
        ("pair-G4", ("H",), [("angle at i and at j (degrees)", 1), (three, 1)]),
    ]
    like = shapes.groups([PairAngular(("O", "O"), "H", Cutoff(4.0), Power(1.0, 1.0))])
    assert like[0].panels[0].of == "angle at k (degrees)"


def test_pair_functions_are_made_of_the_factors_of_their_panels():
    atoms = Atoms("HOH", [[0.0, 0.0, 0.0], [1.1, 0.0, 0.0], [0.4, 1.3, 0.2]])
    functions = [PairRadial(("H", "O"), None), *(f for f in pcsf_functions()[1:] if getattr(f, "neighbor", "H") == "H")]
    row = list(PCSF(functions).rows(atoms).distance).index(atoms.get_distance(0, 1))
    values = PCSF(functions).create(atoms)[row][1:]
    sides = {"ij": atoms.get_distance(0, 1), "ik": atoms.get_distance(0, 2), "jk": atoms.get_distance(1, 2)}
    r = np.array([sides["ij"], sides["ik"], sides["jk"]])
    theta = np.array([atoms.get_angle(*corner) for corner in ((1, 0, 2), (0, 1, 2), (0, 2, 1))])  # at i, j, k
    expected = []
    for function in functions[1:]:
        panels = shapes.groups([function])[0].panels
        factors = [panel.factors[0] for panel in panels]
        distance = shapes.distance_curves([f for f in factors if isinstance(f, Radial)], r)
        angle = shapes.angle_curves([f for f in factors if not isinstance(f, Radial)], theta)
        if isinstance(function, PairAngular):
            corners = {"heavier": [1], "third": [2], "both": [0, 1]}[function.apex]
            expected.append(angle[factors[0]][corners].sum() * distance[factors[1]].prod())
        elif isinstance(function, PairEnvironment):
            expected.append(distance[factors[0]][0] * distance[factors[1]][1:].sum())
        else:
            expected.append(distance[factors[0]][0])
    np.testing.assert_allclose(values, expected, rtol=1e-10)


def test_panels_of_pair_functions():
    figure = functions_figure("H-O", pcsf_functions())
    titles = [axes.get_title(loc="left").replace("\n", "; ") for axes in figure.axes]
    assert titles[:5] == [
        "pair-gaussian; distance factor, 2 curves",
        "pair-G3  neighbours H  O; factor of the pair, 1 curve",
        "pair-G3  neighbours H  O; factor of the neighbours, 1 curve",
        "pair-G4  neighbours H  O; angle factor, 2 curves",
        "pair-G4  neighbours H  O; distance factor, 1 curve",
    ]
    assert len(titles) == 9
    assert "11 columns" in figure.get_suptitle()


def many_functions():
    elements = ("H", "O", "Cu")
    functions = [G2("Cu", n, eta, 6.0, rs) for n in elements for eta in (0.1, 1.0) for rs in np.linspace(0, 5, 12)]
    functions += [G3("Cu", "H", kappa, Cutoff(6.0, "poly2", 0.2)) for kappa in (1.0, 2.0)]
    functions += [Radial("Cu", "H", Compact(k - 2.0, k + 2.0, "exp", k % 2 == 1)) for k in range(3)]
    for pair in (("H", "H"), ("H", "O")):
        functions += [G4("Cu", pair, 0.01, zeta, lam, 6.0) for zeta in (1, 2, 4, 16) for lam in (-1, 1)]
    functions += [
        Angular("Cu", ("H", "O"), Compact(0.0, 5.0), Window(20.0 * k, 20.0 * k + 40.0), narrow=False) for k in range(7)
    ]
    return functions


def test_panels_of_a_large_set():
    figure = functions_figure("Cu", many_functions())
    titles = [axes.get_title(loc="left").replace("\n", "; ") for axes in figure.axes]
    assert titles == [
        "G2  neighbours H  O  Cu; distance factor, 24 curves",
        "G3  neighbours H; distance factor, 2 curves",
        "compact  neighbours H; distance factor, 3 curves",
        "G4  neighbours H-H  H-O; angle factor, 8 curves",
        "G4  neighbours H-H  H-O; distance factor, 1 curve",
        "compact5  neighbours H-O; angle factor, 7 curves",
        "compact5  neighbours H-O; distance factor, 1 curve",
    ]
    assert figure.axes[2].get_legend() is not None
    assert figure.axes[0].get_legend() is None
    assert "24" not in [text.get_text() for text in figure.axes[0].texts]
    assert "12 values" in figure.axes[0].texts[0].get_text()


def test_every_column_has_its_range():
    rng = np.random.default_rng(1)
    table = np.exp(rng.normal(size=(50, 70)) - np.arange(70) / 5)
    table[:, 3] = 0.25
    labels = [f"G2(H;{'HO'[k // 35]}) eta={k}" for k in range(70)]
    figure = ranges_figure("H", ColumnStatistics.of(table), labels)
    assert len(figure.axes) == 2  # broken between the groups
    assert [len(axes.get_xticks()) for axes in figure.axes] == [35, 35]
    assert [text.get_text() for text in figure.axes[0].texts] == ["G2(H;H)"]
    assert figure.axes[0].get_yscale() == "log"


@pytest.mark.parametrize(
    ("rows", "scale"),
    [
        (np.array([[1.0, 2.0], [3.0, 4.0]]), "linear"),
        (np.array([[-1.0, 200.0], [3.0, 4.0]]), "symlog"),
        (np.zeros((3, 2)), "linear"),
        (np.array([[1.0, 1e-6]]), "log"),
    ],
)
def test_scale_suits_the_values(rows, scale):
    figure = ranges_figure("H", ColumnStatistics.of(rows), ["G1(H;H)", "G1(H;O)"])
    assert figure.axes[0].get_yscale() == scale


def test_files(tmp_path):
    acsf = ACSF([*many_functions(), G1("H", "H", 6.0)])
    written = plot_functions(acsf, tmp_path / "new" / "folder")
    assert [path.name for path in written] == ["functions-H.png", "functions-Cu.png"]
    rows = np.random.default_rng(2).random((5, len(acsf.labels["Cu"])))
    statistics = {"H": ColumnStatistics.empty(1), "Cu": ColumnStatistics.of(rows)}
    written += plot_ranges(statistics, acsf.labels, tmp_path)
    assert [path.name for path in written[2:]] == ["ranges-Cu.png"]
    for path in written:
        picture = imread(path)
        assert picture.shape[0] > 200
        assert picture[..., :3].std() > 0.01


def test_files_of_pairs(tmp_path):
    pcsf = PCSF(pcsf_functions())
    written = plot_functions(pcsf, tmp_path)
    statistics = {kind: ColumnStatistics.empty(len(columns)) for kind, columns in pcsf.columns.items()}
    statistics["H-O"] = ColumnStatistics.of(np.random.default_rng(2).random((5, 11)))
    written += plot_ranges(statistics, pcsf.labels, tmp_path, "pairs")
    assert [path.name for path in written] == ["functions-H-O.png", "ranges-H-O.png"]
    assert "over 5 pairs" in ranges_figure("H-O", statistics["H-O"], pcsf.labels["H-O"], "pairs").get_suptitle()


def test_pictures_are_reproducible(tmp_path):
    acsf = ACSF([G2("H", "H", 1.0, 5.0)])
    first, second = (plot_functions(acsf, tmp_path / name)[0].read_bytes() for name in "ab")
    assert first == second


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write .*functions-H\.png"):
        plot_functions(ACSF([G1("H", "H", 5.0)]), tmp_path / "file")

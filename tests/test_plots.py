"""Pictures show the factors of the formulas and the statistics of the columns."""

import math

import numpy as np
import pytest
from matplotlib.image import imread

from fastsf import (
    ACSF,
    G1,
    G2,
    G3,
    G4,
    G5,
    Angular,
    Compact,
    Cutoff,
    Power,
    Radial,
    StorageError,
    Window,
    shapes,
)
from fastsf.function_plots import functions_figure
from fastsf.plots import plot_functions, plot_ranges
from fastsf.range_plots import ranges_figure
from fastsf.statistics import ColumnStatistics

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
    assert [(g.family, g.neighbors, len(g.radial), len(g.angles), g.narrow) for g in found] == [
        ("G2", ("H", "O"), 2, 0, False),
        ("G4", ("H,H", "H,O"), 1, 2, True),
        ("G5", ("O,O",), 1, 1, False),
        ("wG1", ("all",), 1, 0, False),
    ]


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


def test_pictures_are_reproducible(tmp_path):
    acsf = ACSF([G2("H", "H", 1.0, 5.0)])
    first, second = (plot_functions(acsf, tmp_path / name)[0].read_bytes() for name in "ab")
    assert first == second


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write .*functions-H\.png"):
        plot_functions(ACSF([G1("H", "H", 5.0)]), tmp_path / "file")

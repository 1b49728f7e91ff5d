"""Training settings of input.nn files, and models that they start from."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from fastsf.datasets.labelled import LabelledSet
from fastsf.errors import FastsfWarning, FormatError
from fastsf.io.n2p2.keywords import read_keywords
from fastsf.io.n2p2.training_keywords import read_training_keywords
from fastsf.potentials.evaluation import evaluate_batch
from fastsf.structure import Structure
from fastsf.training.config.n2p2_folder import TrainingFolder
from fastsf.training.optimizers import adam, kalman
from fastsf.training.preparation.n2p2_models import model_of_folder

SHARED = os.environ.get("FASTSF_SHARED")
TEXT = """\
number_of_elements 2
elements O H
cutoff_type 1
atom_energy O -75.0
mean_energy -0.5
conv_energy 100.0
conv_length 20.0
center_symmetry_functions
scale_symmetry_functions
scale_min_short -1.0
global_hidden_layers_short 1
global_nodes_short 4
global_activation_short t l
symfunction_short H 2 O 0.5 0.0 8.0
symfunction_short O 2 H 0.5 0.0 8.0
use_short_forces
random_seed 77
epochs 12
test_fraction 0.2
updater_type 1
update_strategy 1
selection_mode 2
task_batch_size_energy 1
task_batch_size_force 3
force_weight 10.0
short_energy_fraction 1.000
short_force_fraction 0.02
short_energy_error_threshold 0.10
short_force_error_threshold 1.00
rmse_threshold_trials 3
weights_min -1.0
weights_max 2.0
gradient_type 1
gradient_adam_eta 1.0E-3
gradient_adam_beta1 0.9
gradient_adam_beta2 0.999
gradient_adam_epsilon 1.0E-8
kalman_type 0
kalman_epsilon 1.0E-2
kalman_q0 0.01
kalman_qtau 2.302
kalman_qmin 1.0E-6
kalman_eta 0.02
kalman_etatau 2.302
kalman_etamax 1.0
kalman_lambda_short 0.96
kalman_nue_short 0.9995
"""


def write(folder: Path, *changes: tuple[str, str]) -> Path:
    text = TEXT
    for pattern, replacement in changes:
        text, count = re.subn(f"(?m)^{pattern}$", replacement, text)
        assert count == 1
    path = folder / "input.nn"
    path.write_text(text)
    return path


def water() -> LabelledSet:
    rng = np.random.default_rng(3)
    corners = np.array([[0, 0, 0], [0.8, 0.6, 0], [-0.8, 0.6, 0]])
    structures = [Structure.from_atoms(Atoms("OH2", corners + 0.1 * rng.normal(size=(3, 3)))) for _ in range(6)]
    energies, nothing = -2041.0 + rng.normal(size=6), np.full((6, 6), np.nan)
    return LabelledSet(structures, energies, [None] * 6, nothing, [""] * 6, np.ones(6), [""] * 6)


def test_kalman(tmp_path: Path) -> None:
    found = read_training_keywords(read_keywords(write(tmp_path)))
    assert (found.epochs, found.seed, found.test_fraction, found.bounds) == (12, 77, 0.2, (-1.0, 2.0))
    assert (found.optimizer, found.initialization) == ("kalman", "uniform")
    assert not found.precondition and not found.use_old_weights
    expected = kalman.KalmanSettings(
        strategy="element",
        force_batch=3,
        force_fraction=0.02,
        force_weight=10.0,
        energy_threshold=0.1,
        eta=0.02,
        units="networks",
    )
    assert kalman.KalmanSettings(**found.settings) == expected


def test_fading_memory_energies_alone_in_random_order(tmp_path: Path) -> None:
    gone = [
        (line, "") for line in ("use_short_forces", "kalman_eta 0.02", "rmse_threshold_trials 3", "force_weight 10.0")
    ]
    path = write(tmp_path, ("kalman_type 0", "kalman_type 1"), ("selection_mode 2", "selection_mode 0"), *gone)
    settings = kalman.KalmanSettings(**read_training_keywords(read_keywords(path)).settings)
    assert settings == kalman.KalmanSettings(
        kind="fading", forgetting=0.96, force_fraction=0.0, selection="random", strategy="element", units="networks"
    )


def test_adam(tmp_path: Path) -> None:
    path = write(tmp_path, ("updater_type 1", "updater_type 0"), ("weights_min -1.0", "nguyen_widrow_weights_short"))
    found = read_training_keywords(read_keywords(path))
    assert (found.optimizer, found.initialization) == ("adam", "nguyen_widrow")
    assert adam.AdamSettings(**found.settings) == adam.AdamSettings(learning_rate=1e-3, batch=1, schedule="constant")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs 12", ""), r"input.nn: the keyword 'epochs', which training needs, is missing"),
        (("epochs 12", "epochs -1"), r"input.nn:18: epochs: expected 0 or more, found -1"),
        (("updater_type 1", "updater_type 2"), r"expected one of 0 \(gradient\), 1 \(kalman\); found '2'"),
        (("selection_mode 2", "selection_mode 0 5 2"), "selection_mode: expected 1 arguments, found 3"),
        (("test_fraction 0.2", "test_fraction 2"), "expected a number from 0 to 1, found 2"),
        (("weights_max 2.0", "weights_max -2.0"), "weights_max: expected a number above -1.0, found -2.0"),
        (("kalman_qmin 1.0E-6", "kalman_qmin few"), "input.nn:42: expected a number for kalman_qmin, found 'few'"),
        (("gradient_type 1", "normalize_data_set ref"), "normalize_data_set: is not supported; mean_energy"),
        (("gradient_type 1", "decoupling_type 3"), "decoupling_type: a filter that is decoupled in other ways"),
        (("kalman_epsilon 1.0E-2", "kalman_epsilon 0"), "epsilon: expected a positive number, found 0.0"),
    ],
)
def test_errors(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    write(tmp_path, change)
    with pytest.raises(FormatError, match=message):
        TrainingFolder.read(tmp_path)


RUNNER = """\
runner_mode 2
number_of_elements 2
elements O H
cutoff_type 1
center_symmetry_functions
scale_symmetry_functions
global_hidden_layers_short 1
global_nodes_short 4
global_activation_short t l
global_symfunction_short 2 0.5 0.0 8.0
random_seed 73
epochs 20
test_fraction 0.1
use_short_forces
points_in_memory 500
mix_all_points
optmode_short_energy 1
optmode_short_force 1
kalman_lambda_short 0.985
kalman_nue_short 0.9987
short_energy_fraction 1.0
short_force_fraction 0.02
short_energy_group 1
short_force_group 10
repeated_energy_update
"""


def test_settings_of_runner(tmp_path: Path) -> None:
    (tmp_path / "input.nn").write_text(RUNNER)
    with pytest.warns(FastsfWarning) as caught:
        found = TrainingFolder.read(tmp_path, "Bohr", "Hartree")
    (warning,) = caught
    assert str(warning.message) == (
        f"{tmp_path}/input.nn: keywords that are missing are taken as updater_type 1, kalman_type 1, selection_mode 2, "
        "update_strategy 0, force_weight 1.0, rmse_threshold_trials 3, rmse_threshold_energy 0.0, "
        "rmse_threshold_force 1.0, kalman_epsilon 0.01, kalman_q0 0.01, kalman_qtau 2.302, kalman_qmin 1.0e-6, "
        "weights_min -1.0, weights_max 1.0; repeated_energy_update has no counterpart and is ignored"
    )
    assert found.settings == kalman.KalmanSettings(
        kind="fading", forgetting=0.985, nue=0.9987, force_fraction=0.02, force_batch=10, units="networks"
    )
    assert len(found.functions) == 4 and found.training.epochs == 20


def test_other_optimisers_of_runner_are_refused(tmp_path: Path) -> None:
    (tmp_path / "input.nn").write_text(RUNNER.replace("optmode_short_energy 1", "optmode_short_energy 3"))
    with pytest.raises(FormatError, match=r"optmode_short_energy: expected 1, the Kalman filter \(others"):
        TrainingFolder.read(tmp_path)


def test_forces_for_each_energy(tmp_path: Path) -> None:
    path = write(tmp_path, ("short_force_fraction 0.02", "force_energy_ratio 3.0"))
    settings = kalman.KalmanSettings(**read_training_keywords(read_keywords(path)).settings)
    assert (settings.force_energy_ratio, settings.force_fraction) == (3.0, 1.0)


def test_steps_of_fixed_size_are_refused(tmp_path: Path) -> None:
    write(tmp_path, ("updater_type 1", "updater_type 0"), ("gradient_type 1", "gradient_type 0"))
    with pytest.raises(FormatError, match="expected 1, Adam"):
        TrainingFolder.read(tmp_path)


def test_models(tmp_path: Path) -> None:
    write(tmp_path)
    labelled = water()
    folder = TrainingFolder.read(tmp_path, "Bohr", "Hartree")
    model = model_of_folder(folder, labelled)
    assert model.energy_scale == pytest.approx(0.272114, rel=1e-5) and model.length_scale == pytest.approx(37.794, 1e-4)
    assert model.offsets["O"] == pytest.approx(-75.5 * 27.2114, 1e-5) and model.offsets["H"] == pytest.approx(
        -13.6, 1e-3
    )
    assert model.scalings["H"].lowest == -1.0 and model.scalings["H"].mode == "scale_center"
    assert -1.0 <= model.parameters.min() < model.parameters.max() <= 2.0
    np.testing.assert_array_equal(model_of_folder(folder, labelled, 77).parameters, model.parameters)
    assert (model_of_folder(folder, labelled, 78).parameters != model.parameters).any()


def test_preconditioned_models(tmp_path: Path) -> None:
    write(tmp_path, ("gradient_type 1", "precondition_weights"))
    labelled = water()
    model = model_of_folder(TrainingFolder.read(tmp_path, "Bohr", "Hartree"), labelled)
    results = evaluate_batch(model.potential().model, labelled.structures, forces=False)
    found = np.array([result.energy for result in results])
    np.testing.assert_allclose([found.mean(), found.std()], [labelled.energies.mean(), labelled.energies.std()])


def test_going_on_from_weights(tmp_path: Path) -> None:
    write(tmp_path, ("gradient_type 1", "use_old_weights_short"))
    labelled = water()
    for number, seed in ((1, 5), (8, 6)):
        np.savetxt(tmp_path / f"weights.{number:03d}.data", np.random.default_rng(seed).normal(size=13))
    parameters = model_of_folder(TrainingFolder.read(tmp_path), labelled).parameters
    np.testing.assert_allclose(parameters[:13], np.random.default_rng(5).normal(size=13))


@pytest.mark.skipif(SHARED is None, reason="FASTSF_SHARED is not set")
@pytest.mark.parametrize("name", ["H2O_RPBE-D3", "Cu2S_PBE"])
def test_files_of_n2p2(name: str) -> None:
    folder = TrainingFolder.read(Path(str(SHARED)) / "data" / f"n2p2_train_{name}", "Bohr", "Hartree")
    fraction = {"H2O_RPBE-D3": 0.0041, "Cu2S_PBE": 0.02315}[name]
    assert folder.settings == kalman.KalmanSettings(
        force_fraction=fraction, force_batch=1, force_weight=10.0, units="networks"
    )
    assert folder.training.bounds == (-1.0, 1.0) and folder.training.seed == 1234567

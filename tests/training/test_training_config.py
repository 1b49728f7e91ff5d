"""Configurations of trainings: errors with file and line, and written configurations that can be read."""

import math
import re
from pathlib import Path

import pytest

from fastsf import G2, Cutoff
from fastsf.errors import FormatError, InputError, StorageError
from fastsf.io.toml_file import TomlFile, fitted
from fastsf.symmetry.pcsf import PairRadial
from fastsf.training.config.config import Config
from fastsf.training.config.files import read_config, read_folder
from fastsf.training.config.sections import DataSection, LossSection, NetworksSection, PCSFSection, RunSection
from fastsf.training.config.template import config_text, toml_value
from fastsf.training.optimizers.registry import OPTIMIZERS
from fastsf.training.preparation.models import atom_functions

GOOD = """
[data]
train = ["a.xyz", "more/*.xyz"]
validation = 0.2
test = "/data/test.xyz"
group_weights = { surface = 2 }

[functions]
recipe = "even-grid"
cutoff = 5

[networks]
hidden = [7, 5]

[loss]
forces = 0.1

[optimizer]
name = "adam"
batch = 3

[run]
epochs = 12
minutes = 2
"""


@pytest.fixture
def write(tmp_path):
    def call(text: str) -> Path:
        path = tmp_path / "train.toml"
        path.write_text(text)
        return path

    return call


def test_values_and_defaults(write):
    path = write(GOOD)
    config = read_config(path)
    folder = str(path.parent)
    assert config.data == DataSection(
        (f"{folder}/a.xyz", f"{folder}/more/*.xyz"), 0.2, ("/data/test.xyz",), group_weights={"surface": 2.0}
    )
    assert config.networks == NetworksSection(hidden=(7, 5))
    assert config.loss == LossSection(forces=0.1)
    assert config.run == RunSection(epochs=12, minutes=2.0)
    assert (config.optimizer, config.settings) == ("adam", OPTIMIZERS["adam"].settings_type(batch=3))
    assert (config.recipe, config.functions) == ({"name": "even-grid", "cutoff": 5}, None)


def test_functions_in_the_file_and_in_another(write, tmp_path):
    table = '[[function]]\ntype = "G2"\ncenter = "Si"\nneighbor = "Si"\neta = [0.5, 1.0]\ncutoff = 4.0\n'
    expected = [G2("Si", "Si", eta, 4.0) for eta in (0.5, 1.0)]
    assert read_config(write(f'[data]\ntrain = "a"\n{table}')).functions == expected
    (tmp_path / "functions.toml").write_text(table)
    assert read_config(write('[data]\ntrain = "a"\n[functions]\nfile = "functions.toml"\n')).functions == expected
    nothing = read_config(write('[data]\ntrain = "a"\n'))
    assert (nothing.functions, nothing.recipe) == (None, None)


PAIR_TABLE = """
[[pair_function]]
type = "pair-gaussian"
pair = ["Si", "Si"]
eta = [0.5, 1.0]
cutoff = 4.0
"""


def test_pairs(write, tmp_path):
    expected = [PairRadial(("Si", "Si"), Cutoff(4.0), eta) for eta in (0.5, 1.0)]
    config = read_config(write(f'[data]\ntrain = "a"\n[pairs]\nenvelope = "shift"\nhidden = [5]\n{PAIR_TABLE}'))
    assert config.pcsf == PCSFSection("shift", (5,), expected)
    assert (config.functions, config.recipe) == (None, None)
    assert read_config(write(f'[data]\ntrain = "a"\n{PAIR_TABLE}')).pcsf == PCSFSection(functions=expected)
    (tmp_path / "functions.toml").write_text(PAIR_TABLE)
    text = '[data]\ntrain = "a"\n[functions]\nrecipe = "none"\n[pairs]\nfile = "functions.toml"\nhidden = 7'
    config = read_config(write(text))
    assert config.pcsf == PCSFSection(hidden=(7,), functions=expected)
    assert atom_functions(config, None) == []
    config = read_config(write('[data]\ntrain = "a"\n[pairs]\nrecipe = "pairs"\ncutoff = 5'))
    assert config.pcsf == PCSFSection(recipe={"name": "pairs", "cutoff": 5})
    assert config.table()["pairs"]["recipe"] == {"name": "pairs", "cutoff": 5}
    assert read_config(write('[data]\ntrain = "a"\n[pairs]')).pcsf == PCSFSection()
    assert "pairs" not in read_config(write(GOOD)).table()
    assert read_config(write(GOOD), {"pairs.envelope": ("none", "--set")}).pcsf == PCSFSection("none")


def test_overrides_go_before_the_file(write):
    overrides = {"run.epochs": (3, "--epochs"), "optimizer.batch": (9, "--set"), "loss.decay": (0.5, "--set")}
    config = read_config(write(GOOD), overrides)
    assert (config.run.epochs, config.settings.batch, config.loss.decay) == (3, 9, 0.5)
    with pytest.raises(FormatError, match=r"^--epochs: epochs: expected an integer, found 'x'"):
        read_config(write(GOOD), {"run.epochs": ("x", "--epochs")})
    with pytest.raises(FormatError, match=r"^--set loss.x=1: unknown key 'x' in \[loss\]"):
        read_config(write(GOOD), {"loss.x": (1, "--set loss.x=1")})
    with pytest.raises(InputError, match="train is not a table"):
        read_config(write("train = 1"), {"train.x": (1, "--set train.x=1")})


WRONG = [
    ("[data]\ntrain = = 3", 2, "not TOML"),
    ("[dat]\ntrain = 'a'", 1, "unknown section 'dat', expected one of data, functions, pairs, networks"),
    ("[networks]\nhidden = [3]", None, r"\[data\] needs the key 'train'"),
    ("[data]\ntrain = []", 1, "at least one file"),
    ("[data]\ntrain = 'a'\nvalidatoin = 0.1", 3, r"unknown key 'validatoin' in \[data\], expected one of train, valid"),
    ("[data]\ntrain = 'a'\nvalidation = true", 3, "validation: expected a number or a list, each item a text"),
    ("[data]\ntrain = 3", 2, "train: expected a text, found 3"),
    ("[data]\ntrain = 'a'\non_error = 'go'", 3, "on_error: expected one of 'stop', 'skip', found 'go'"),
    ("[data]\ntrain = 'a'\nvalidation = 'b'\nvalidation_groups = 'c'", 1, "exclude each other"),
    ("[data]\ntrain = 'a'\ngroup_weights = {x = 'y'}", 3, "group_weights: expected a number, found 'y'"),
    ("data = 3", 1, r"expected a table \[data\]"),
    ("[data]\ntrain = 'a'\n[networks]\nhidden = [0]", 3, "hidden: expected positive numbers"),
    ("[data]\ntrain = 'a'\n[networks]\nhidden = [2.5]", 4, "hidden: expected an integer, found 2.5"),
    ("[data]\ntrain = 'a'\n[networks]\ninitialization = 'x'", 3, "initialization: expected one of glorot_normal"),
    ("[data]\ntrain = 'a'\n[networks]\nactivation = 'x'", 3, "activation: expected one of "),
    ("[data]\ntrain = 'a'\n[networks]\nbounds = [1.0]", 3, "bounds: expected two numbers"),
    ("[data]\ntrain = 'a'\n[networks]\nscaling = 'x'", 4, "scaling: expected one of 'none'"),
    ("[data]\ntrain = 'a'\n\n[loss]\n# comment\nenergy = 'x'", 6, "energy: expected a number or one of 'auto'"),
    ("[data]\ntrain = 'a'\n[loss]\nforces = 0", 3, "forces: expected a positive number"),
    ("[data]\ntrain = 'a'\n[loss]\ndecay = -1.0", 3, "decay: expected 0 or more"),
    ("[data]\ntrain = 'a'\n[optimizer]\nname = 'sgd'", 4, "name: expected one of levenberg-marquardt, .*'sgd'"),
    ("[data]\ntrain = 'a'\n[optimizer]\nbatch = 3", 4, r"unknown key 'batch' in \[optimizer\], .* damping"),
    ("[data]\ntrain = 'a'\n[optimizer]\ntrials = 0", 3, r"\[optimizer\] expected one trial or more"),
    ("optimizer = 'adam'\n[data]\ntrain = 'a'", 1, r"expected a table \[optimizer\]"),
    ("[data]\ntrain = 'a'\n[run]\nepochs = -1", 3, "epochs: expected at least 0"),
    ("[data]\ntrain = 'a'\n[run]\nseeds = 0", 3, "seeds: expected at least 1"),
    ("[data]\ntrain = 'a'\n[run]\nthreads = 0", 3, "threads: expected at least 1"),
    ("[data]\ntrain = 'a'\n[run]\nprecision = 'half'", 4, "precision: expected one of 'float32'"),
    ("[data]\ntrain = 'a'\n[functions]\ncutoff = 3.0", 3, "needs either the key 'file' or the key 'recipe'"),
    ("[data]\ntrain = 'a'\n[functions]\nrecipe = 'x'", 4, "recipe 'x'"),
    ("[data]\ntrain = 'a'\n[functions]\nrecipe = 'even-grid'\nradial = 'x'", 5, "radial"),
    ("[data]\ntrain = 'a'\n[functions]\nrecipe = 'even-grid'\nradius = 4", 4, "radius"),
    ("[data]\ntrain = 'a'\n[functions]\nfile = 'gone.toml'", None, "gone.toml"),
    ("[data]\ntrain = 'a'\n[functions]\nrecipe = 'none'", 4, r"leaves no functions without a section \[pairs\]"),
    ("[data]\ntrain = 'a'\n[pairs]\nenvelope = 'x'", 4, "envelope: expected one of 'fc', 'shift', 'none'"),
    ("[data]\ntrain = 'a'\n[pairs]\nhidden = [0]", 3, "hidden: expected positive numbers"),
    ("[data]\ntrain = 'a'\n[pairs]\ncutoff = 3.0", 3, r"\[pairs\] needs either the key 'file' or the key 'recipe'"),
    ("[data]\ntrain = 'a'\n[pairs]\nrecipe = 'x'", 4, "recipe 'x'"),
    ("[data]\ntrain = 'a'\n[pairs]\nrecipe = 'pairs'\nradius = 4", 4, "radius"),
    ("pairs = 3\n[data]\ntrain = 'a'", 1, r"expected a table \[pairs\]"),
    ("[data]\ntrain = 'a'\n[pairs]\nfile = 'x'\n[[pair_function]]\ntype = 'a'", 3, "exclude each other"),
    ("[data]\ntrain = 'a'\n[[pair_function]]\ntype = 'pair-G1'\npair = ['H', 'X1']", 3, "function 1: "),
    ("elements = ['H']\n[data]\ntrain = 'a'", 1, "elements belongs to tables"),
    ("[data]\ntrain = 'a'\n[functions]\nrecipe = 'a'\n[[function]]\ntype = 'G2'", 3, "exclude each other"),
    ("[data]\ntrain = 'a'\n[[function]]\ntype = 'G2'\ncenter = 'X1'", 3, "function 1: "),
]


@pytest.mark.parametrize(("text", "line", "reason"), WRONG, ids=range(len(WRONG)))
def test_wrong_configurations_name_the_line(write, text, line, reason):
    path = write(text)
    place = re.escape(str(path)) + (f":{line}: " if line else "")
    with pytest.raises((FormatError, StorageError), match=reason) as caught:
        read_config(path)
    if line:
        assert re.match(place, str(caught.value)), str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        read_config(tmp_path / "gone.toml")


def test_values_by_annotation():
    assert fitted([1, 2], tuple[float, ...]) == (1.0, 2.0)
    assert fitted("a", str | None) == "a"
    for value, hint in ((True, int), (1, bool), (1.5, int), ("1", float), ([1], dict[str, int]), (None, str | None)):
        if value is not None:
            with pytest.raises(InputError, match="expected"):
                fitted(value, hint)
    assert fitted(None, str | None) is None


def test_lines_of_keys():
    file = TomlFile("x.toml", "a = 1\n[b]\nc = 2\n  [ d . e ]\nf-g = 3\n[[h]]\ni = 1\n[[h]]\n")
    assert [file.line("a"), file.line("b", "c"), file.line("d", "e", "f-g"), file.line("z")] == [1, 3, 5, None]
    assert file.headers == {"h": [6, 8]}


# --- the commented configuration ---


@pytest.mark.parametrize("name", [None, *OPTIMIZERS])
def test_written_configurations_hold_every_default(write, name):
    choices = {"data": {"train": ["a.xyz"]}, "functions": {"recipe": "even-grid", "cutoff": 4.5, "zeta": [1.0, 2.0]}}
    if name is not None:
        choices["optimizer"] = {"name": name}
    text = config_text(choices, {"functions": "because"})
    config = read_config(write(text))
    plain = config.table()
    reference = Config(
        DataSection((str(write("").parent / "a.xyz"),)),
        NetworksSection(),
        LossSection(),
        RunSection(),
        config.optimizer,
        None,
    )
    assert config.optimizer == (name or "levenberg-marquardt")
    assert config.settings == OPTIMIZERS[config.optimizer].settings_type()
    assert config.pcsf is None
    for section in ("data", "networks", "loss", "run"):
        assert getattr(config, section) == getattr(reference, section)
    assert plain["recipe"] == {"name": "even-grid", "cutoff": 4.5, "zeta": [1.0, 2.0]}
    assert "# Chosen: because." in text
    config = read_config(write(text.replace("# [pairs]", "[pairs]").replace("# envelope", "envelope")))
    assert config.pcsf == PCSFSection()
    missing = [
        key
        for section in (DataSection, NetworksSection, LossSection, RunSection)
        for key in section.__annotations__
        if key not in text
    ]
    assert missing == []


def test_written_configurations_can_have_pairs(write):
    choices = {"data": {"train": ["a.xyz"]}, "pairs": {"recipe": "pairs", "cutoff": 4.5, "envelope": "shift"}}
    config = read_config(write(config_text(choices, {})))
    assert config.pcsf == PCSFSection("shift", recipe={"name": "pairs", "cutoff": 4.5})


def test_toml_values():
    values = {"a": [1, 2.5, True], "b": 'quote " and ü\n', "c": math.inf, "d": {"e f": 1}, "g": {}, "h": 1e-300}
    text = "".join(f"{key} = {toml_value(value)}\n" for key, value in values.items())
    assert TomlFile("x", text).document == values


# --- folders of n2p2 ---


def test_folder_of_n2p2(shared):
    folder = shared / "data" / "n2p2_train_H2O_RPBE-D3"
    config = read_folder(folder, "Bohr", "Hartree", {"run.epochs": (4, "--epochs")})
    assert config.data.train == (str(folder / "input.data"),)
    assert (config.data.length_unit, config.data.energy_unit) == ("Bohr", "Hartree")
    assert (config.run.epochs, config.optimizer, config.loss.decay) == (4, "kalman", 0.0)
    assert config.folder is not None
    assert config.run.minutes == math.inf
    with pytest.raises(FormatError, match=r"^--set: \[networks\] cannot be changed: input.nn defines it"):
        read_folder(folder, "Bohr", "Hartree", {"networks.hidden": ([3], "--set")})


def test_folder_without_input(tmp_path):
    with pytest.raises(StorageError, match=r"input\.nn"):
        read_folder(tmp_path)

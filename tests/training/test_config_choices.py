"""Options of the command line that make another choice: its defaults, and remarks about dropped values."""

import ase.io
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from support.labelled_sets import water

from fastsf.errors import FormatError
from fastsf.symmetry.recipes import RECIPES
from fastsf.training.config.files import overrides_of, read_config, read_folder
from fastsf.training.config.template import config_text
from fastsf.training.optimizers.registry import OPTIMIZERS

GRID = {"recipe": "even-grid", "cutoff": 4.5, "r_min": 0.5, "zeta": [1.0, 2.0]}
CHOICES = {"data": {"train": ["a.xyz"]}, "functions": GRID, "networks": {"hidden": [3]}}
TABLE = '[[function]]\ntype = "G2"\ncenter = "H"\nneighbor = "H"\neta = 0.5\ncutoff = 4.0\n'
PAIR_TABLE = '[[pair_function]]\ntype = "pair-G1"\npair = ["H", "H"]\ncutoff = 4.0\n'


@pytest.fixture
def read(tmp_path):
    def call(text, *assignments):
        path = tmp_path / "train.toml"
        path.write_text(text)
        return read_config(path, overrides_of({}, assignments))

    return call


@pytest.mark.parametrize("before", OPTIMIZERS)
@pytest.mark.parametrize("after", OPTIMIZERS)
def test_another_optimizer_has_its_defaults(read, before, after):
    text = config_text({**CHOICES, "optimizer": {"name": before}}, {})
    config = read(text, f"optimizer.name={after}")
    assert (config.optimizer, config.settings) == (after, OPTIMIZERS[after].settings_type())
    assert len(config.remarks) == (before != after)


def test_the_remark_names_what_is_dropped(read):
    text = '[data]\ntrain = "a"\n[optimizer]\ndamping = 0.2\ntrials = 3\n'
    config = read(text, "optimizer.name=adam", "optimizer.batch=3")
    assert (config.optimizer, config.settings.batch) == ("adam", 3)
    assert config.remarks == ("--set optimizer.name=adam drops damping = 0.2, trials = 3 of train.toml",)
    same = read(text, "optimizer.name=levenberg-marquardt", "optimizer.trials=5")
    assert (same.settings.damping, same.settings.trials, same.remarks) == (0.2, 5, ())
    with pytest.raises(FormatError, match=r"^--set optimizer.trials=5: unknown key 'trials' in \[optimizer\]"):
        read(text, "optimizer.trials=5", "optimizer.name=adam")
    with pytest.raises(FormatError, match=r"^--set optimizer.name=sgd: name: expected one of"):
        read(text, "optimizer.name=sgd")


@pytest.mark.parametrize("recipe", [*(name for name in RECIPES if name != "even-grid")])
def test_another_recipe_has_its_defaults(read, recipe):
    config = read(config_text(CHOICES, {}), f"functions.recipe={recipe}")
    assert config.recipe == {"name": recipe}
    expected = f"--set functions.recipe={recipe} drops cutoff = 4.5, r_min = 0.5, zeta = [1.0, 2.0] of train.toml"
    assert config.remarks == (expected,)
    again = read(config_text(CHOICES, {}), "functions.recipe=even-grid")
    assert (again.recipe["cutoff"], again.remarks) == (4.5, ())


def test_no_functions_of_atoms(read):
    text = config_text({**CHOICES, "pairs": {"recipe": "pairs", "cutoff": 4.0}}, {})
    config = read(text, "functions.recipe=none")
    assert config.recipe == {"name": "none"}
    assert config.pcsf.recipe == {"name": "pairs", "cutoff": 4.0}


def test_files_recipes_and_tables_replace_each_other(read, tmp_path):
    (tmp_path / "functions.toml").write_text(TABLE)
    (tmp_path / "pairs.toml").write_text(PAIR_TABLE)
    config = read(config_text(CHOICES, {}), "functions.file=functions.toml")
    assert (len(config.functions), config.recipe) == (1, None)
    assert "recipe = even-grid" in config.remarks[0]
    data = '[data]\ntrain = "a"\n'
    file = f'{data}[functions]\nfile = "functions.toml"\nlength_unit = "Bohr"\n'
    assert read(file, "functions.recipe=even-grid").recipe == {"name": "even-grid"}
    shared = f'elements = ["H"]\n{data}{TABLE}'
    config = read(shared, "functions.recipe=even-grid", "functions.cutoff=5")
    assert (config.functions, config.recipe) == (None, {"name": "even-grid", "cutoff": 5})
    assert config.remarks == ("--set functions.recipe=even-grid drops [[function]], elements of train.toml",)
    both = read(f'elements = ["H"]\n{data}{TABLE}{PAIR_TABLE}', "functions.recipe=even-grid")
    assert (both.functions, len(both.pcsf.functions)) == (None, 1)
    pairs = f'{data}[pairs]\nrecipe = "pairs"\ncutoff = 4.0\nenvelope = "shift"\nhidden = [5]\n'
    config = read(pairs, "pairs.file=pairs.toml")
    assert (len(config.pcsf.functions), config.pcsf.envelope, config.pcsf.hidden) == (1, "shift", (5,))
    assert config.remarks == ("--set pairs.file=pairs.toml drops recipe = pairs, cutoff = 4.0 of train.toml",)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_fractions_files_and_groups_replace_each_other(read, part):
    data = '[data]\ntrain = "a"\n'
    config = read(f'{data}{part}_groups = ["x"]\n', f"data.{part}=0.2")
    assert (getattr(config.data, part), getattr(config.data, f"{part}_groups")) == (0.2, ())
    assert config.remarks == (f"--set data.{part}=0.2 drops {part}_groups = ['x'] of train.toml",)
    config = read(f'{data}{part} = "b.xyz"\n', f"data.{part}_groups=x")
    assert getattr(config.data, f"{part}_groups") == ("x",)
    assert config.remarks == (f"--set data.{part}_groups=x drops {part} = b.xyz of train.toml",)


def test_folder_of_n2p2(shared):
    folder = shared / "data" / "n2p2_train_H2O_RPBE-D3"
    config = read_folder(folder, "Bohr", "Hartree", overrides_of({}, ["optimizer.name=adam"]))
    assert (config.optimizer, config.settings) == ("adam", OPTIMIZERS["adam"].settings_type())
    assert config.remarks[0].startswith("--set optimizer.name=adam drops kind = ")


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_after_init(run, tmp_path, monkeypatch, name):
    monkeypatch.setattr("fastsf.training.run.report.write_report", lambda *_: [])
    frames = [water(k) for k in range(8)]
    for k, atoms in enumerate(frames):
        atoms.calc = SinglePointCalculator(atoms, energy=-470.0 + 0.01 * k, forces=0.1 * atoms.positions)
    ase.io.write(tmp_path / "data.xyz", frames, format="extxyz")
    path = tmp_path / "t.toml"
    assert run("train", "--init", tmp_path / "data.xyz", "-o", path)[0] == 0
    small = ["--set", "functions.radial=3", "--set", "networks.hidden=[3]", "--epochs", 1, "--threads", 1]
    status, told, complaints = run("train", path, "--set", f"optimizer.name={name}", *small)
    assert (status, complaints) == (0, "")
    assert (f"--set optimizer.name={name} drops damping = 0.1" in told) == (name != "levenberg-marquardt")

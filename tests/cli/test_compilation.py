"""Compilation ahead of use: tasks cover all kernels, are shared among processes, and report errors."""

import json
import os
import re
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest

import fastsf
from fastsf import FastsfError, InputError, StorageError, threads
from fastsf.cli import options
from fastsf.cli.compilation import compile as compilation
from fastsf.cli.compilation.compile import GROUPS, SECONDS, compile_kernels, uncompiled
from fastsf.cli.compilation.tasks import TASKS
from fastsf.cli.console import Console, compile_first
from fastsf.cli.options import compile_for
from fastsf.kernels import _jit

USUAL = list(dict.fromkeys(name for group, names in GROUPS.items() if group != "mixed" for name in names))
"""Tasks that are compiled by default: all except those of mixed precision."""

FEATURIZE = list(GROUPS["featurize"])

USES = """
import json, sys
import numpy as np
from ase import Atoms
from numba.core.dispatcher import Dispatcher
from fastsf import ACSF, G2, G4, Committee, Cutoff, neighbor_list
from fastsf.cli.compilation.tasks import TASKS
from fastsf.potentials.evaluation import Evaluator, Model, evaluate_batch
from fastsf.mc import Displacement, MonteCarlo, Swap, VolumeChange
from fastsf.md import NVE, Langevin, MolecularDynamics, StochasticCellRescaling
from fastsf.descriptors.pcsf import PCSF
from fastsf.symmetry.pcsf import PairAngular, PairEnvironment, PairRadial
from fastsf.potentials.pcsf_term import PairTerm
from fastsf.potentials.potential import Potential
from fastsf.training.objective.initialization import initial_network
from fastsf.potentials.network import Network
from fastsf.potentials.network_packing import pack_networks
from fastsf.potentials.scaling import Scaling
from fastsf.structure import Structure
from fastsf.symmetry.factors import Power


def loaded():
    modules = [module for name, module in sys.modules.items() if name.startswith("fastsf.kernels.")]
    kernels = {id(each): each for module in modules for each in vars(module).values() if isinstance(each, Dispatcher)}
    return {f"{each.py_func.__module__}.{each.__name__}{sign}" for each in kernels.values() for sign in each.signatures}


def use():
    rng = np.random.default_rng(1)
    atoms = Atoms("H4O2", rng.random((6, 3)) * 3, cell=[4, 5, 6], pbc=True)
    many = atoms.repeat((3, 3, 3))
    functions = [function for center in "HO" for function in (
        G2(center, "H", 1.0, 3.0), G4(center, ("H", "O"), 0.1, 1.0, 2.0, 3.0), G2(center, "O", 1.0, 3.0))]
    network = initial_network((3, 4, 1), ("tanh", "linear"))
    network.gradient(np.ones((2, 3)))
    ones = np.ones(3)
    scaling = Scaling("none", 0.0, 1.0, 0 * ones, ones, 0 * ones, ones)
    both = {"H": scaling, "O": scaling}
    packed = pack_networks(("H", "O"), {"H": network, "O": network}, both, 1.0, {}, 3)
    for threads in (1, 2):
        neighbor_list("ijdDS", atoms, 3.0, threads=threads)
        acsf = ACSF(functions, threads=threads)
        acsf.create(atoms)
        acsf.create(many)
        acsf.create([atoms, atoms])
        acsf.create(atoms, [0, 2])
        acsf.derivatives(atoms)
        acsf.derivatives(many)
        acsf.evaluate_batch([Structure.from_atoms(atoms)] * 2, jacobian=True)
        acsf.vjp(many, np.ones((len(many), 3)))
        acsf.jvp(many, np.ones((len(many), 3)))
        model = Model(acsf, packed, both)
        evaluate_batch(model, [Structure.from_atoms(atoms)] * 2, threads)
        evaluator = Evaluator(model, Structure.from_atoms(many), 1.0, threads)
        evaluator.evaluate(many.positions + 0.01)
        evaluator.evaluate(many.positions + 0.01, np.diag([12.1, 15, 18]))
        molecule = Structure.from_arrays(atoms.positions, np.zeros((3, 3)), False, atoms.numbers)
        Evaluator(model, molecule, 1.0, threads).evaluate(atoms.positions + 0.01)
        values = evaluator.values()
        evaluator.predict(packed, values, gradient=False)
        evaluator.chain(evaluator.predict(packed, values)[1][:, None])
        mixed = Evaluator(model.in_precision("mixed"), Structure.from_atoms(many), 1.0, threads)
        mixed.evaluate()
        mixed.chain(mixed.predict(packed, mixed.values())[1][:, None])
        potential = Potential(acsf, {"H": network, "O": network}, both)
        for integrator in (NVE(), StochasticCellRescaling(Langevin(300.0))):
            MolecularDynamics(potential, many, integrator, 0.5, threads=threads).advance(3, 1)
        moves = [Displacement(), Swap(("H", "O")), VolumeChange()]
        for precision in ("double", "mixed"):
            use_pairs(atoms, many, potential, precision, threads)
        engine = MonteCarlo(potential, many, 300.0, moves, equilibration=50, threads=threads)
        engine.advance(300, 300)
        engine.restore(engine.state())


def use_pairs(atoms, many, potential, precision, threads):
    functions = [
        PairRadial(("H", "O"), Cutoff(3.0)),
        PairEnvironment(("H", "O"), "H", Cutoff(3.0), 0.2),
        PairAngular(("H", "O"), "H", Cutoff(3.0), Power(1.0, -1.0), 0.05),
    ]
    pcsf = PCSF(functions, threads=threads)
    values = pcsf.create(many)
    pcsf.derivatives(many)
    pcsf.vjp(many, np.ones_like(values))
    pcsf.jvp(many, np.ones((len(many), 3)))
    pcsf.strain_derivatives([Structure.from_atoms(atoms)])
    term = PairTerm(pcsf, {"H-O": potential.networks["H"]}, {"H-O": potential.scalings["H"]})
    atom_parts = potential.descriptor, potential.networks, potential.scalings
    model = Potential(*atom_parts, precision=precision, pairs=term)
    evaluator = Evaluator(model.model, Structure.from_atoms(many), 1.0, threads)
    evaluator.evaluate(many.positions + 0.01)
    evaluator.evaluate(many.positions + 0.01, np.diag([12.1, 15, 18]))
    evaluate_batch(model.model, [Structure.from_atoms(atoms)] * 2, threads)
    Committee([model, model]).evaluate(many)
    MolecularDynamics(model, many, NVE(), 0.5, threads=threads).advance(3, 1)


tasks, before = {}, loaded()
for name, task in TASKS.items():
    task()
    now = loaded()
    tasks[name], before = sorted(now - before), now
use()
print(json.dumps([tasks, sorted(loaded() - before)]))
"""


def python(program: str, *words: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a program in a new process, with the modules of this one."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment}
    return subprocess.run([sys.executable, "-c", program, *words], env=variables, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache folder for markers; compiled kernels go elsewhere."""
    monkeypatch.setattr(_jit, "CACHE_FOLDER", tmp_path)
    monkeypatch.setattr(compilation.numba.config, "DISABLE_JIT", 0)
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of tasks called in this process, where they do nothing."""
    seen: list[str] = []
    for name in TASKS:
        monkeypatch.setitem(TASKS, name, lambda name=name: seen.append(name))
    return seen


def children_run(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(compilation, "_PROGRAM", program)


# --- the tasks ---


def test_tasks_cover_what_is_used() -> None:
    done = python(USES, NUMBA_NUM_THREADS="2", NUMBA_DISABLE_JIT="0")
    assert done.returncode == 0, done.stderr
    tasks, missed = json.loads(done.stdout)
    assert set(tasks) == set(TASKS)
    assert all(tasks.values())  # each has kernels that no task before it has loaded
    assert missed == []


def test_groups_have_all_tasks() -> None:
    assert set(SECONDS) == set(TASKS)
    assert {name for names in GROUPS.values() for name in names} == set(TASKS)


def test_atom_centred_functions_need_no_kernels_of_pairs() -> None:
    for group, names in GROUPS.items():
        assert group.startswith("pair-") == any(name.startswith("pcsf ") for name in names)


def test_long_tasks_are_shared_first() -> None:
    assert compilation._share(list(TASKS), 1) == [sorted(TASKS, key=lambda name: -SECONDS[name])]
    assert sorted(map(len, compilation._share(list(TASKS), 99))) == [1] * len(TASKS)
    for processes in (2, 3, 4):
        shares = compilation._share(list(TASKS), processes)
        loads = [sum(SECONDS[name] for name in share) for share in shares]
        assert sorted(name for share in shares for name in share) == sorted(TASKS)
        assert len(shares) == processes
        assert max(loads) - min(loads) <= max(SECONDS[share[-1]] for share in shares)


# --- in this process ---


def test_done_once(folder: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert uncompiled(["featurize"]) == FEATURIZE
    assert compile_kernels(["featurize"], processes=1) >= 0
    assert calls == FEATURIZE
    assert uncompiled(["featurize"]) == []
    assert uncompiled(["featurize", "derivatives"]) == ["jacobian"]
    compile_kernels(["featurize"], processes=1)
    assert calls == FEATURIZE
    assert (folder / "announced").exists()


def test_other_processor_or_version_compiles_again(
    folder: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from numba.core.registry import cpu_target

    compile_kernels(processes=1)
    assert uncompiled() == []
    codegen = type(cpu_target.target_context.codegen())
    for owner, name, value in (
        (codegen, "magic_tuple", lambda self: ("x86_64", "another", "+sse2")),
        (compilation.numba, "__version__", "99.0"),
        (compilation.sys, "version", "3.99"),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(owner, name, value)
            compilation._target.cache_clear()
            assert uncompiled() == USUAL
        compilation._target.cache_clear()
        assert uncompiled() == []


def test_without_cache_folder(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_jit, "CACHE_FOLDER", None)
    monkeypatch.setattr(compilation.numba.config, "DISABLE_JIT", 0)
    monkeypatch.setattr(compilation, "_start", lambda *_: pytest.fail("a process was started"))
    assert uncompiled() == []  # a command has nothing to wait for
    compile_kernels(processes=4)
    assert set(calls) == set(USUAL)


def test_without_jit(folder: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation.numba.config, "DISABLE_JIT", 1)
    assert uncompiled() == []
    compile_kernels()
    assert not calls and not list(folder.iterdir())


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match=r"unknown purpose of kernels: expected some of featurize, .*, found fly"):
        compile_kernels(["fly"])
    with pytest.raises(InputError, match="at least one process, found 0"):
        compile_kernels(processes=0)


def test_folder_that_vanished(folder: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_jit, "CACHE_FOLDER", folder / "gone")
    with pytest.raises(StorageError, match=r"cannot write into .*gone: no such file"):
        compile_kernels(processes=1)


# --- in several processes ---


@pytest.mark.skipif(getattr(compilation.numba.config, "DISABLE_JIT", 0), reason="nothing is compiled")
def test_processes_from_a_script_without_guard(tmp_path: Path) -> None:
    """The kernels are in the cache already, or the next tests compile them anyway. The markers are removed."""
    compile_kernels(["featurize"])
    before = _markers()
    for path in before:
        path.unlink()
    script = tmp_path / "script.py"
    script.write_text("import fastsf\nprint('once')\nfastsf.compile_kernels(['featurize'], processes=2)\n")
    (tmp_path / "json.py").write_text("raise SystemExit('a file beside the script stands for a module of Python')")
    done = python(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "once\n", "")
    assert _markers() == before


def _markers() -> list[Path]:
    assert _jit.CACHE_FOLDER is not None
    markers = (_jit.CACHE_FOLDER / f"{name}-{compilation._target()}.compiled" for name in FEATURIZE)
    return [marker for marker in markers if marker.exists()]


def test_child_gets_path_folder_and_tasks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = folder / "report"
    program = (
        f"import json, os, sys; open({str(report)!r} + sys.argv[2], 'w').write(json.dumps([sys.argv[1:],"
        " os.environ['NUMBA_CACHE_DIR'], os.environ['NUMBA_NUM_THREADS']]))"
    )
    children_run(monkeypatch, program)
    compile_kernels(["featurize"], processes=2)
    for name, others in (("pairs", ["threads"]), ("values", [])):
        (path, *names), cache, most = json.loads((folder / f"report{name}").read_text())
        assert json.loads(path) == [str(entry) for entry in sys.path]
        assert names == [name, *others]
        assert cache == str(folder.parent)
        assert int(most) == threads.most_threads()


@pytest.mark.parametrize(
    ("program", "error", "reason"),
    [
        ("import sys; print('no space left', file=sys.stderr); sys.exit(3)", StorageError, "3: no space left"),
        ("print('much ' * 100000); raise ValueError('a bug')", FastsfError, "1: ValueError: a bug"),
        ("import os; os.kill(os.getpid(), 9)", FastsfError, "-9: no message"),
    ],
)
def test_child_that_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, program: str, error: type[Exception], reason: str
) -> None:
    """The other child would run for long; it is stopped."""
    others = "import sys, time\nif sys.argv[2] == 'pairs': time.sleep(1000)\n"
    children_run(monkeypatch, others + program)
    started = _seen_processes(monkeypatch)
    with pytest.raises(error, match=rf"compiling the kernels \(values\) failed with exit status {reason}"):
        compile_kernels(["featurize"], processes=2)
    assert len(started) == 2
    assert all(child.process.returncode is not None for child in started)


def _seen_processes(monkeypatch: pytest.MonkeyPatch) -> list[compilation._Child]:
    started: list[compilation._Child] = []
    start = compilation._start
    monkeypatch.setattr(compilation, "_start", lambda *words: started.append(start(*words)) or started[-1])
    return started


def test_interrupt_ends_the_children(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children_run(monkeypatch, "import time; time.sleep(1000)")
    started = _seen_processes(monkeypatch)

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compilation.time, "sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compile_kernels(["featurize"], processes=2)
    assert [child.process.returncode for child in started] == [-signal.SIGKILL] * 2


@pytest.mark.parametrize("executable", ["", None, "/nowhere/python3", "/usr/bin/other"])
def test_where_processes_cannot_be_started(
    folder: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch, executable: str | None
) -> None:
    monkeypatch.setattr(compilation.sys, "executable", executable)
    compile_kernels(["featurize"], processes=2)
    assert set(calls) == set(FEATURIZE)
    assert uncompiled(["featurize"]) == []


def test_work_reports_errors(
    folder: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compilation.work(["threads", "pairs"]) == 0

    def fail(error: BaseException) -> None:
        raise error

    for error, status, told in (
        (OSError(28, "No space left on device"), 3, "[Errno 28] No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
    ):
        monkeypatch.setitem(TASKS, "values", lambda error=error: fail(error))
        assert compilation.work(["values"]) == status
        assert capsys.readouterr().err == told
    assert uncompiled(["featurize"]) == ["values"]


# --- commands ---


def test_commands_say_that_they_compile_once(
    folder: Path, calls: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compilation, "_most_processes", lambda: 1)
    compile_first(["featurize"], Console())
    told = capsys.readouterr().out
    assert re.fullmatch(r"Compiling the kernels, once per installation \.\.\.\n  done in \d+\.\d s\n", told)
    compile_first(["featurize"], Console())
    compile_first(["derivatives"], Console(quiet=True))
    assert capsys.readouterr().out == ""
    assert uncompiled(["featurize", "derivatives"]) == []


@pytest.mark.parametrize(
    "pairs, precision, groups",
    [
        (None, "double", ["md", "predict"]),
        (None, "mixed", ["md", "predict", "mixed"]),
        ("a model", "double", ["pair-md", "pair-predict"]),
        ("a model", "mixed", ["pair-md", "pair-predict", "mixed"]),
    ],
)
def test_kernels_of_potentials(
    monkeypatch: pytest.MonkeyPatch, pairs: str | None, precision: str, groups: list[str]
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(options, "compile_first", lambda what, console: asked.append(what))
    potential = SimpleNamespace(model=SimpleNamespace(pairs=pairs))
    compile_for(Namespace(precision=precision), potential, ["md", "predict"], Console(quiet=True))
    assert asked == [groups]


def test_help_loads_no_kernels() -> None:
    done = python("import sys, fastsf.cli.main; fastsf.cli.main.make_parser(); sys.exit('numba' in sys.modules)")
    assert done.returncode == 0, done.stderr


def test_names_of_the_package() -> None:
    assert set(fastsf.__all__) <= set(dir(fastsf))
    assert all(getattr(fastsf, name) is not None for name in fastsf.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fastsf.nothing  # noqa: B018

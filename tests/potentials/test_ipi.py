"""`Calculator` as a client of i-PI and of the socket protocol of ASE."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.socketio import SocketClient, SocketIOCalculator
from ase.md.verlet import VelocityVerlet
from support.featurizing import PYTHONPATH
from support.potentials import random_potential
from support.systems import SYSTEMS

from fastsf import Calculator

STEPS, FEMTOSECONDS = 20, 0.5
INPUT = """\
<simulation verbosity='low'>
  <output prefix='run'>
    <properties stride='1' filename='out'> [step, potential{electronvolt}, conserved{electronvolt}] </properties>
  </output>
  <total_steps>STEPS</total_steps>
  <ffsocket mode='unix' name='fastsf' pbc='false'> <address>NAME</address> </ffsocket>
  <system>
    <initialize nbeads='1'>
      <file mode='ase' units='angstrom'> start.xyz </file>
      <velocities mode='thermal' units='kelvin'> 300 </velocities>
    </initialize>
    <forces> <force forcefield='fastsf'/> </forces>
    <motion mode='dynamics'>
      <dynamics mode='nve'> <timestep units='femtosecond'> 0.5 </timestep> </dynamics>
    </motion>
    <ensemble> <temperature units='kelvin'> 300 </temperature> </ensemble>
  </system>
</simulation>
"""


def start() -> Atoms:
    atoms = SYSTEMS["triclinic"]()
    atoms.set_velocities(np.random.default_rng(3).normal(scale=0.01, size=(len(atoms), 3)))
    return atoms


@pytest.fixture
def name() -> str:
    """Return the name of an unused socket."""
    return f"fastsf-{uuid.uuid4().hex[:12]}"


def run_client(atoms: Atoms, name: str) -> None:
    atoms.calc = Calculator(random_potential(), threads=1, extrapolation="ignore")
    SocketClient(unixsocket=name).run(atoms, use_stress=True)


def test_ipi(tmp_path: Path, name: str) -> None:
    if importlib.util.find_spec("ipi") is None:
        pytest.skip("i-PI is not installed: pip install ipi")
    atoms = start()
    atoms.write(tmp_path / "start.xyz")
    (tmp_path / "input.xml").write_text(INPUT.replace("NAME", name).replace("STEPS", str(STEPS)))
    with (tmp_path / "log").open("wb") as log:
        program = Path(sys.executable).with_name("i-pi")
        server = subprocess.Popen([sys.executable, program, "input.xml"], cwd=tmp_path, stdout=log, stderr=log)
    try:
        _wait_for(Path(f"/tmp/ipi_{name}"), server, tmp_path / "log")
        run_client(start(), name)
        assert server.wait(60) == 0, (tmp_path / "log").read_text()
    finally:
        server.kill()
        server.wait()
    _, energies, conserved = np.loadtxt(tmp_path / "run.out").T
    assert len(energies) == STEPS + 1
    assert energies[0] == pytest.approx(random_potential().evaluate(atoms).energy, rel=1e-6)  # i-PI rounds its units
    assert np.ptp(energies) > 0.01 > 20 * np.ptp(conserved)


def _wait_for(socket: Path, server: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        if socket.exists():
            return
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    pytest.fail(f"i-PI does not listen: {log.read_text()}")


CLIENT = """
import sys
from test_ipi import run_client, start
run_client(start(), sys.argv[1])
"""


def test_client_of_ase(name: str) -> None:
    """Dynamics through a socket are the same as without."""
    moved, expected = start(), start()
    client = [sys.executable, "-c", CLIENT, name]
    process = None

    def launch(*_: object, **__: object) -> subprocess.Popen:
        nonlocal process
        environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
        process = subprocess.Popen(client, cwd=Path(__file__).parent, env=environment)
        return process

    with SocketIOCalculator(launch_client=launch, unixsocket=name, timeout=300) as through:
        moved.calc = through
        VelocityVerlet(moved, FEMTOSECONDS * units.fs).run(STEPS)
        energy, stress = moved.get_potential_energy(), moved.get_stress()
    assert process is not None and process.wait(60) == 0
    expected.calc = Calculator(random_potential(), threads=1, extrapolation="ignore")
    VelocityVerlet(expected, FEMTOSECONDS * units.fs).run(STEPS)
    np.testing.assert_allclose(moved.positions, expected.positions, rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(energy, expected.get_potential_energy(), rtol=1e-12)
    np.testing.assert_allclose(stress, expected.get_stress(), rtol=1e-9, atol=1e-12)

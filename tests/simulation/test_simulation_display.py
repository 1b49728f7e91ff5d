"""Output of the commands that simulate: a bar with the speed, and a summary."""

import io
import re
import sys

import numpy as np
from support.harmonic import COLUMNS, Harmonic

from fastsf.cli import console
from fastsf.cli.simulation import simulate
from fastsf.cli.simulation_display import SimulationDisplay, means, speed
from fastsf.simulation.log import heading
from fastsf.simulation.running import RunProgress
from fastsf.simulation.settings import RunSettings


class Terminal(io.StringIO):
    def isatty(self):
        return True


def progress(step: int, first: int = 0, time: float = 0.5) -> RunProgress:
    return RunProgress(step, 4000, first, 2.0, {"step": step, "time": time * step, "temperature": 301.4})


def test_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(console, "_DRAW_SECONDS", 0.0)
    with SimulationDisplay(console.Console()) as display:
        for step in (1000, 2000, 4000):
            display(progress(step))
    shown = terminal.getvalue()
    assert " 50% |" in shown
    assert "2,000 steps, 43.2 ns/day, 301 K" in shown
    assert "100% |" in shown


def test_speed():
    assert speed(progress(2000)) == "43.2 ns/day"
    assert speed(progress(2000, first=1000)) == "21.6 ns/day"
    assert speed(progress(2000, time=np.nan)) == "1,000 steps/s"


def test_means_have_the_digits_that_errors_leave():
    rng = np.random.default_rng(0)
    rows = np.arange(4096)
    log = {
        "step": rows,
        "time (fs)": 10.0 * rows,
        "potential energy (eV)": np.full(4096, 5.0),
        "temperature (K)": 1300 + 64 * rng.normal(size=4096),
        "conserved energy (eV)": 1e-4 * rows,
    }
    assert list(log) == [heading(column) for column in COLUMNS]
    temperature, drift = means(log, COLUMNS, 10)
    assert re.fullmatch(r"temperature: 1,(29|30)\d\.\d ± [01]\.\d K", temperature)
    assert drift.startswith("drift of the conserved energy: 1.00e-03 ± ")


def test_end(tmp_path, capsys):
    folder = tmp_path / "run"
    simulate(Harmonic(), folder, RunSettings(30, 1), console.Console())
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("30 steps in ")
    assert " ns/day, " in lines[0]
    assert lines[-1] == f"in {folder}: thermo.csv, final.extxyz"
    simulate(Harmonic(), folder, RunSettings(30, 1), console.Console())
    assert capsys.readouterr().out.startswith(
        "30 steps are done already; continue with more --steps, or use --overwrite\n"
    )


def test_nothing_is_drawn_elsewhere(capsys):
    with SimulationDisplay(console.Console()) as display:
        display(progress(10))
    assert capsys.readouterr() == ("", "")

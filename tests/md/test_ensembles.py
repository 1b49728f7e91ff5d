"""Ensembles by name: one table for the command, in which every name makes an integrator."""

import pytest

import fastsf.md
from fastsf import InputError
from fastsf.cli.main import make_parser
from fastsf.md import Bussi, Integrator, Langevin, NoseHooverChain, Ramp, StochasticCellRescaling
from fastsf.md.ensembles import ENSEMBLES, ensemble_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("nvt", "bussi"),
        ("NVT", "bussi"),
        ("Bussi", "bussi"),
        ("NVE", "nve"),
        ("NPT", "npt"),
        ("langevin", "langevin"),
        ("Langevin", "langevin"),
        ("nose-hoover", "nhc"),
        ("Nosé Hoover", "nhc"),
        ("NOSE_HOOVER_CHAIN", "nhc"),
    ],
)
def test_names_that_people_type(text: str, name: str) -> None:
    assert ensemble_name(text) == name


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match=f"{', '.join(ENSEMBLES)} .*found 'nph'"):
        ensemble_name("nph")


def test_every_ensemble_makes_an_integrator() -> None:
    for name, ensemble in ENSEMBLES.items():
        made = ensemble.make(300.0, {})
        assert isinstance(made, Integrator)
        assert type(made) is getattr(fastsf.md, ensemble.integrator)
        assert made.highest_temperature() == pytest.approx(300.0 if name != "nve" else 0.0)
    kinds = {type(ensemble.make(300.0, {})) for ensemble in ENSEMBLES.values()}
    assert kinds == set(Integrator.__subclasses__())


def test_names_are_of_one_ensemble() -> None:
    names = [word for name, ensemble in ENSEMBLES.items() for word in (name, *ensemble.aliases)]
    assert len(set(names)) == len(names)


def test_options_are_parameters() -> None:
    ramp = Ramp(300.0, 600.0, 10)
    assert ENSEMBLES["langevin"].make(ramp, {"friction": 0.5}) == Langevin(ramp, 0.5)
    assert ENSEMBLES["bussi"].make(300.0, {"thermostat_time": 20.0}) == Bussi(300.0, 20.0)
    assert ENSEMBLES["nhc"].make(300.0, {"thermostat_time": 20.0}) == NoseHooverChain(300.0, 20.0)
    given = {"thermostat_time": 20.0, "pressure": 5.0, "barostat_time": 900.0, "compressibility": 1e-5, "shape": "z"}
    expected = StochasticCellRescaling(Bussi(300.0, 20.0), 5.0, 900.0, 1e-5, "z")
    assert ENSEMBLES["npt"].make(300.0, given) == expected


def test_the_command_has_all_options() -> None:
    arguments = make_parser().parse_args(["md", "model.h5", "start.xyz", "--ensemble", "Nose-Hoover"])
    assert arguments.ensemble == "Nose-Hoover"
    assert all(hasattr(arguments, option) for ensemble in ENSEMBLES.values() for option in ensemble.known)


def test_the_command_refuses_unknown_names(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        make_parser().parse_args(["md", "model.h5", "start.xyz", "--ensemble", "nph"])
    assert "argument --ensemble: expected an ensemble out of nve" in capsys.readouterr().err

"""What ASE finds through the entry point ``ase.plugins``: the calculator.

ASE's collection of plugins is still called experimental; versions that do not have it do not look here either.
"""

from __future__ import annotations

from ase._4.plugins.plugin import CalculatorPlugin

_CITATION = "J. Behler and M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007)"

__ase_plugins__ = frozenset(
    {CalculatorPlugin("fastsf", citation=_CITATION, implementation="fastsf.potentials.calculator.Calculator")}
)

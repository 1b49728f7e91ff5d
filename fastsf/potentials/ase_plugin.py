"""Plugin of ASE: the calculator, found through the entry point ``ase.plugins``.

ASE calls its plugins experimental. Versions of ASE without plugins do not import this module.
"""

from __future__ import annotations

from ase._4.plugins.plugin import CalculatorPlugin

_CITATION = "J. Behler and M. Parrinello, Phys. Rev. Lett. 98, 146401 (2007)"

__ase_plugins__ = frozenset(
    {CalculatorPlugin("fastsf", citation=_CITATION, implementation="fastsf.potentials.calculator.Calculator")}
)

"""Explanations of the lines of input.nn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastsf.errors import FastsfError, counted
from fastsf.io.n2p2.functions import CUTOFF_TYPES
from fastsf.io.n2p2.keyword_words import ENERGY_KEYWORDS, TRAINING_KEYWORDS, UNUSED_ENDS
from fastsf.io.n2p2.keywords import KeywordLine
from fastsf.io.n2p2.runner2 import is_runner2_keyword
from fastsf.io.n2p2.runner_keywords import RUNNER_KEYWORDS
from fastsf.io.n2p2.symfunction_lines import expand_line, parse_line
from fastsf.potentials.files.topology import ACTIVATION_CODES
from fastsf.symmetry.atoms import Angular, Radial, SymmetryFunction
from fastsf.symmetry.factors import CUTOFFS, Compact, Power


def explain(line: KeywordLine, elements: Sequence[str], length_unit: str, energy_unit: str) -> str:
    """Explain a line.

    Parameters
    ----------
    line : KeywordLine
        Any line, with errors or not.
    elements : sequence of str
        Elements of the file.
    length_unit, energy_unit : str
        Units of the file.
    """
    special = _SPECIAL.get(line.keyword)
    if special is not None:
        try:
            return special(line, elements)
        except (FastsfError, IndexError, ValueError):
            return f"{ENERGY_KEYWORDS[line.keyword]} (this line cannot be read)"
    words = ENERGY_KEYWORDS.get(line.keyword) or TRAINING_KEYWORDS.get(line.keyword)
    if words is None and line.keyword in RUNNER_KEYWORDS:
        return "keyword of RuNNer that does not change the potential"
    if words is None and is_runner2_keyword(line.keyword):
        return "keyword of RuNNer 2"
    if words is None:
        return "for charges or networks of pairs: not used here" if line.keyword.endswith(UNUSED_ENDS) else "unknown"
    unit = _UNITS.get(line.keyword, "").format(length=length_unit, energy=energy_unit)
    return words + unit + (" (training)" if line.keyword in TRAINING_KEYWORDS else "")


_UNITS = {
    "atom_energy": " ({energy})",
    "mean_energy": " ({energy})",
    "conv_energy": " (1/{energy})",
    "conv_length": " (1/{length})",
}


def _cutoff(line: KeywordLine, _: Sequence[str]) -> str:
    kind = CUTOFF_TYPES[line.integer(0, "the type")]
    inner = f", 1 up to {line.args[1]} rc" if len(line.args) > 1 and line.number(1, "alpha") else ""
    return f"cutoff function {kind.replace('_', ' ')}: {CUTOFFS[kind].formula}{inner}"


def _activations(line: KeywordLine, _: Sequence[str]) -> str:
    *hidden, output = [ACTIVATION_CODES[code] for code in line.args if code in ACTIVATION_CODES]
    return f"activation functions: hidden layers {', '.join(hidden) or 'none'}; output {output}"


def _function(line: KeywordLine, elements: Sequence[str]) -> str:
    return describe_function(parse_line(line, elements, ("cosine", 0.0)))


def _functions(line: KeywordLine, elements: Sequence[str]) -> str:
    lines = expand_line(line, elements)
    first = describe_function(parse_line(lines[0], elements, ("cosine", 0.0)))
    return f"{counted(len(lines), 'function')} such as {first}"


_SPECIAL: dict[str, Callable[[KeywordLine, Sequence[str]], str]] = {
    "cutoff_type": _cutoff,
    "global_activation_short": _activations,
    "symfunction_short": _function,
    "element_symfunction_short": _functions,
    "global_symfunction_short": _functions,
}


def describe_function(function: SymmetryFunction) -> str:
    """Describe the sum of a symmetry function, in its own unit of length; cutoff functions are called fc."""
    return _radial(function) if isinstance(function, Radial) else _angular(function)


def _radial(function: Radial) -> str:
    weighted = function.neighbor is None
    over = "all neighbours, times their atomic number," if weighted else f"{function.neighbor} neighbours"
    return f"{function.center}: over {over} {', '.join(_distances(function))}"


def _angular(function: Angular) -> str:
    if function.neighbors is None:
        over = "all pairs of neighbours, times their atomic numbers,"
    elif function.neighbors[0] == function.neighbors[1]:
        over = f"pairs of {function.neighbors[0]} neighbours"
    else:
        over = f"pairs of {' and '.join(function.neighbors)} neighbours"
    angle = function.angle
    if isinstance(angle, Power):
        sign = "+" if angle.lam >= 0 else "-"
        scale = "" if abs(angle.lam) == 1 else f"{abs(angle.lam):g} "
        text = f"(1 {sign} {scale}cos)^{angle.zeta:g}"
    else:
        text = f"angles from {angle.left:g} to {angle.right:g} degrees ({angle.kind})"
    sides = "all three distances" if function.narrow else "the distances from the centre"
    factor, limits = _distances(function)
    return f"{function.center}: over {over} {text} times {factor} for {sides}, {limits}"


def _distances(function: SymmetryFunction) -> tuple[str, str]:
    """Return the factor of each distance and its limits."""
    envelope = function.envelope
    if isinstance(envelope, Compact):
        shape = envelope.kind + (", asymmetric" if envelope.asymmetric else "")
        return f"a bump ({shape})", f"from {envelope.left:g} to {envelope.right:g}"
    shifted = f"(r - {function.rs:g})" if function.rs > 0 else f"(r + {-function.rs:g})" if function.rs else "r"
    gaussian = f"exp(-{function.eta:g} {shifted}^2) " if function.eta else ""
    return f"{gaussian}fc(r)", f"rc = {envelope.radius:g}"

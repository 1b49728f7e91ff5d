"""Random symmetry functions and broken text for property tests; the same examples on every run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from fastsf.symmetry.atoms import Angular, Radial
from fastsf.symmetry.factors import BUMPS, CUTOFFS, Compact, Cutoff, Power, Window
from fastsf.symmetry.pcsf import APEXES, PairAngular, PairEnvironment, PairRadial

REPEATABLE = settings(derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
"""Settings of repeatable examples without a time limit."""

ELEMENTS = ("H", "C", "O", "Cu")
elements = st.sampled_from(ELEMENTS)
pairs = st.tuples(elements, elements)


def number(low: float, high: float) -> st.SearchStrategy[float]:
    """Return finite numbers in a range, ends included."""
    return st.floats(low, high, allow_nan=False, allow_infinity=False, allow_subnormal=False)


@st.composite
def cutoffs(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(CUTOFFS)) -> Cutoff:
    kind = draw(st.sampled_from(kinds))
    alpha = draw(number(0.0, 0.9)) if CUTOFFS[kind].plateau else 0.0
    return Cutoff(draw(number(1.0, 12.0)), kind, alpha)


@st.composite
def bumps(draw: st.DrawFn) -> Compact:
    right = draw(number(1.0, 12.0))
    kind = draw(st.sampled_from(BUMPS))
    return Compact(draw(number(-12.0, 0.9)), right, kind, kind != "exp" and draw(st.booleans()))


@st.composite
def windows(draw: st.DrawFn, kind: str | None = None) -> Window:
    middle = draw(st.sampled_from((0.0, 180.0, None)))
    chosen = draw(st.sampled_from(BUMPS)) if kind is None else kind
    if middle is None:
        return Window(draw(number(0.0, 89.0)), draw(number(90.0, 180.0)), chosen)
    half = float(draw(st.integers(1, 180)))
    return Window(middle - half, middle + half, chosen)


powers = st.builds(Power, number(0.25, 64.0), number(-2.0, 2.0))
widths, shifts = number(0.0, 20.0), number(0.0, 6.0)


@st.composite
def radials(draw: st.DrawFn) -> Radial:
    """Draw any radial function, also those that only files of fastsf can hold."""
    eta = draw(widths)
    kappa = 0.0 if eta else draw(number(0.0, 5.0))
    envelope = draw(st.one_of(cutoffs(), bumps()))
    return Radial(draw(elements), draw(st.none() | elements), envelope, eta, draw(shifts), kappa)


angulars = st.builds(
    Angular,
    elements,
    st.none() | pairs,
    st.one_of(cutoffs(), bumps()),
    st.one_of(powers, windows()),
    widths,
    shifts,
    st.booleans(),
)
functions = st.one_of(radials(), angulars)

pair_radials = st.builds(PairRadial, pairs, st.one_of(cutoffs(), bumps()), widths, shifts)
pair_distances = st.builds(PairRadial, pairs, st.none())
pair_environments = st.builds(
    PairEnvironment, pairs, elements, st.one_of(cutoffs(), bumps()), widths, shifts, widths, shifts
)
pair_angulars = st.builds(
    PairAngular,
    pairs,
    elements,
    st.one_of(cutoffs(), bumps()),
    st.one_of(powers, windows()),
    widths,
    shifts,
    st.sampled_from(APEXES),
)
pcsf_functions = st.one_of(pair_radials, pair_distances, pair_environments, pair_angulars)


@st.composite
def runner_functions(draw: st.DrawFn, cutoff: Cutoff) -> Radial | Angular:
    """Draw a function that n2p2 also has, with the kind and plateau of `cutoff`."""
    center, eta, rs = draw(elements), draw(widths), draw(shifts)
    envelope = Cutoff(draw(number(1.0, 12.0)), cutoff.kind, cutoff.alpha)
    bump = draw(bumps())
    window = draw(windows(bump.kind))
    weighted = draw(st.booleans())
    pair = None if weighted else draw(pairs)
    return draw(
        st.sampled_from(
            (
                Radial(center, None if weighted else pair[0], envelope, eta, rs),
                Radial(center, None if weighted else pair[0], bump),
                Angular(center, pair, envelope, draw(powers), eta, rs, weighted or draw(st.booleans())),
                Angular(center, pair, bump, window, narrow=draw(st.booleans())),
            )
        )
    )


@st.composite
def mutations(draw: st.DrawFn, text: str) -> str:
    """Draw a text with lines left out, doubled or cut, or with another word."""
    lines = text.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        words = lines[at].split()
        kind = draw(st.sampled_from(("drop", "double", "cut", "word", "junk")))
        if kind == "drop" and len(lines) > 1:
            del lines[at]
        elif kind == "double":
            lines.insert(at, lines[at])
        elif kind == "cut":
            lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
        elif kind == "word" and words:
            words[draw(st.integers(0, len(words) - 1))] = draw(WORDS)
            lines[at] = " ".join(words)
        else:
            lines[at] = draw(st.text(max_size=20))
    return "\n".join(lines) + "\n"


NUMBER_LIKE = (
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "0",
    "2",
    "3.5",
    "1_0",
    "0x1p3",
    "1.0D-3",
    "*****",
    "\u0661",
)
KEYWORDS = ("H", "Xx", "end", "begin", "set=train", "#", "p1a", "symfunction", "elements", "9" * 20, "\x00")
WORDS = st.sampled_from(NUMBER_LIKE + KEYWORDS)
"""Words that replace other words."""

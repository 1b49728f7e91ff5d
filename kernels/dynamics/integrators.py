"""Pieces of integrators: kicks, drifts, thermostats, the barostat. Units are those of ASE.

Half of a step before the new forces, and half after:

    [chain] kick [strain] drift [Langevin drift]   new forces   kick [velocity rescaling | chain]

velocity Verlet    Swope, Andersen, Berens and Wilson, J. Chem. Phys. 76, 637 (1982)
Langevin           BAOAB: Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34
rescaling          Bussi, Donadio and Parrinello, J. Chem. Phys. 126, 014101 (2007)
chain              Martyna, Klein and Tuckerman, J. Chem. Phys. 97, 2635 (1992), integrated as by Martyna, Tuckerman,
                   Tobias and Klein, Mol. Phys. 87, 1117 (1996), with weights of Yoshida and Suzuki
strain             Bernetti and Bussi, J. Chem. Phys. 153, 114107 (2020), and for cells whose shape changes
                   Del Tatto, Raiteri, Bernetti and Bussi, Appl. Sci. 12, 1139 (2022)
"""

import math
from typing import NamedTuple

import numpy as np

from fastsf.kernels._jit import kernel

NONE, LANGEVIN, RESCALING, CHAIN = range(4)
"""Thermostats."""

RIGID, ISOTROPIC, ANISOTROPIC = range(3)
"""Barostats: a rigid cell, or changes of its volume or its shape."""

POTENTIAL, EXCHANGED = range(2)
"""Energies in `Motion.totals`: of the atoms, and that which thermostat and barostat have added."""

POSITION, VELOCITY, MASS = range(3)
"""Rows of `Motion.chain`."""

YOSHIDA = 1 / (2 - 2 ** (1 / 3))
"""Weight of the first and the last of three steps; the one in between is 1 - 2 times that."""


class Motion(NamedTuple):
    """State that changes from step to step, n atoms."""

    positions: np.ndarray  # (n, 3) float64, unwrapped
    velocities: np.ndarray  # (n, 3) float64
    forces: np.ndarray  # (n, 3) float64
    cell: np.ndarray  # (3, 3) float64, rows are the vectors
    virial: np.ndarray  # (3, 3) float64, -dE/d(strain) at the forces' positions
    strain: np.ndarray  # (3, 3) float64: logarithm of the deformation by the barostat in this step
    old_virial: np.ndarray  # (3, 3) float64: before that
    chain: np.ndarray  # (3, links) float64
    totals: np.ndarray  # (2,) float64


class Scheme(NamedTuple):
    """Constants of a run, and how atoms move."""

    masses: np.ndarray  # (n,) float64
    inverse: np.ndarray  # (n,) float64: 1 / mass; 0 for atoms that do not move
    step: float
    thermostat: int
    barostat: int
    begin: float  # target of k_B T
    end: float
    ramp: int  # steps from begin to end
    rate: float  # friction, or 1 / relaxation time of the kinetic energy
    freedom: int  # degrees of freedom
    drifting: bool  # whether the centre of mass may move
    pressure: float
    softness: float  # compressibility / relaxation time
    coupled: np.ndarray  # (3, 3) float64: 1 for components of the strain that change on their own


# --- observables ---


@kernel
def target(scheme, steps_done):
    """Return the target of k_B T in the step that follows `steps_done`."""
    if scheme.ramp == 0:
        return scheme.begin
    return scheme.begin + (scheme.end - scheme.begin) * min(1.0, (steps_done + 1) / scheme.ramp)


@kernel
def kinetic_energy(motion, scheme):
    """Return the sum of m v^2 / 2."""
    v, total = motion.velocities, 0.0
    for i in range(len(v)):
        total += scheme.masses[i] * (v[i, 0] * v[i, 0] + v[i, 1] * v[i, 1] + v[i, 2] * v[i, 2])
    return 0.5 * total


@kernel
def volume(cell):
    """Return the volume of a cell."""
    return abs(
        cell[0, 0] * (cell[1, 1] * cell[2, 2] - cell[1, 2] * cell[2, 1])
        + cell[0, 1] * (cell[1, 2] * cell[2, 0] - cell[1, 0] * cell[2, 2])
        + cell[0, 2] * (cell[1, 0] * cell[2, 1] - cell[1, 1] * cell[2, 0])
    )


@kernel
def pressure(motion, scheme, a, b):
    """Return a component of the pressure tensor, with its kinetic part."""
    v, total = motion.velocities, 0.0
    for i in range(len(v)):
        total += scheme.masses[i] * v[i, a] * v[i, b]
    return (total + 0.5 * (motion.virial[a, b] + motion.virial[b, a])) / volume(motion.cell)


# --- pieces ---


@kernel
def kick(motion, scheme, duration):
    """Change velocities by the forces."""
    v, f = motion.velocities, motion.forces
    for i in range(len(v)):
        factor = duration * scheme.inverse[i]
        for c in range(3):
            v[i, c] += factor * f[i, c]


@kernel
def drift(motion, duration):
    """Change positions by the velocities."""
    x, v = motion.positions, motion.velocities
    for i in range(len(x)):
        for c in range(3):
            x[i, c] += duration * v[i, c]


@kernel
def scale_velocities(motion, factor):
    """Multiply all velocities."""
    v = motion.velocities
    for i in range(len(v)):
        for c in range(3):
            v[i, c] *= factor


@kernel
def remove_drift(motion, scheme):
    """Take the velocity of the centre of mass from that of each atom."""
    v, m = motion.velocities, scheme.masses
    x = y = z = mass = 0.0
    for i in range(len(v)):
        mass += m[i]
        x, y, z = x + m[i] * v[i, 0], y + m[i] * v[i, 1], z + m[i] * v[i, 2]
    x, y, z = x / mass, y / mass, z / mass
    for i in range(len(v)):
        v[i, 0], v[i, 1], v[i, 2] = v[i, 0] - x, v[i, 1] - y, v[i, 2] - z


@kernel
def langevin(motion, scheme, temperature, rng):
    """Apply friction and noise over a step: v <- c v + sqrt((1 - c^2) k_B T / m) xi with c = exp(-friction step)."""
    v = motion.velocities
    before = kinetic_energy(motion, scheme)
    decay = math.exp(-scheme.rate * scheme.step)
    noise = (1 - decay * decay) * temperature
    for i in range(len(v)):
        spread = math.sqrt(noise * scheme.inverse[i])
        for c in range(3):
            v[i, c] = decay * v[i, c] + spread * rng.standard_normal()
    if not scheme.drifting:
        remove_drift(motion, scheme)
    motion.totals[EXCHANGED] += kinetic_energy(motion, scheme) - before


@kernel
def rescale(motion, scheme, temperature, rng):
    """Draw a new kinetic energy (eq. A7 of the article) and scale the velocities to it."""
    before, freedom = kinetic_energy(motion, scheme), scheme.freedom
    decay = math.exp(-scheme.rate * scheme.step)
    share = (1 - decay) * temperature / (2 * before)
    first, others = rng.standard_normal(), 2 * rng.standard_gamma(0.5 * (freedom - 1)) if freedom > 1 else 0.0
    square = decay + share * (first * first + others) + 2 * first * math.sqrt(decay * share)
    factor = math.sqrt(square)
    scale_velocities(motion, -factor if first + math.sqrt(decay / share) < 0 else factor)
    motion.totals[EXCHANGED] += (square - 1) * before


@kernel
def _push_link(chain, k, kinetic, freedom, temperature, duration):
    """Change the velocity of one link of the chain by the kinetic energy that it controls."""
    if k == 0:
        force = 2 * kinetic - freedom * temperature
    else:
        force = chain[MASS, k - 1] * chain[VELOCITY, k - 1] ** 2 - temperature
    slow = math.exp(-0.25 * duration * chain[VELOCITY, k + 1]) if k + 1 < chain.shape[1] else 1.0
    chain[VELOCITY, k] = (chain[VELOCITY, k] * slow + 0.5 * duration * force / chain[MASS, k]) * slow


@kernel
def move_chain(motion, scheme, temperature, duration):
    """Move the chain of thermostats for a time, and scale the velocities."""
    chain, links = motion.chain, motion.chain.shape[1]
    kinetic, factor = kinetic_energy(motion, scheme), 1.0
    for part in range(3):
        time = duration * (YOSHIDA if part != 1 else 1 - 2 * YOSHIDA)
        for k in range(links - 1, -1, -1):
            _push_link(chain, k, kinetic, scheme.freedom, temperature, time)
        for k in range(links):
            chain[POSITION, k] += time * chain[VELOCITY, k]
        slow = math.exp(-time * chain[VELOCITY, 0])
        factor *= slow
        kinetic *= slow * slow
        for k in range(links):
            _push_link(chain, k, kinetic, scheme.freedom, temperature, time)
    scale_velocities(motion, factor)


@kernel
def chain_energy(chain, freedom, temperature):
    """Return the energy of the chain; with that of the atoms it is conserved."""
    total = 0.0
    for k in range(chain.shape[1]):
        total += 0.5 * chain[MASS, k] * chain[VELOCITY, k] ** 2
        total += (freedom if k == 0 else 1) * temperature * chain[POSITION, k]
    return total


# --- the barostat ---


@kernel
def _symmetric_noise(scheme, spread, rng, strain):
    for a in range(3):
        for b in range(a, 3):
            if scheme.coupled[a, b] != 0:
                strain[a, b] += (spread if a == b else spread * math.sqrt(0.5)) * rng.standard_normal()
            strain[b, a] = strain[a, b]


@kernel
def draw_strain(motion, scheme, temperature, rng):
    """Draw the strain of one step into `Motion.strain`, from the present pressure.

    Isotropic, with e = log V: de = softness (P - P0) dt + sqrt(2 k_B T softness / V) dW. Else each component, with a
    third of the softness; rotations of the cell are left out, which changes no probability of a shape.
    """
    strain, space = motion.strain, volume(motion.cell)
    reach, noise = scheme.softness * scheme.step, 2 * temperature * scheme.softness * scheme.step / space
    if scheme.barostat == ISOTROPIC:
        mean = (pressure(motion, scheme, 0, 0) + pressure(motion, scheme, 1, 1) + pressure(motion, scheme, 2, 2)) / 3
        change = reach * (mean - scheme.pressure) + math.sqrt(noise) * rng.standard_normal()
        for a in range(3):
            for b in range(3):
                strain[a, b] = change / 3 if a == b else 0.0
        return
    for a in range(3):
        for b in range(a, 3):
            excess = pressure(motion, scheme, a, b) - (scheme.pressure if a == b else 0.0)
            strain[a, b] = scheme.coupled[a, b] * reach / 3 * excess
    _symmetric_noise(scheme, math.sqrt(noise / 3), rng, strain)


@kernel
def largest_strain(motion, scheme, steps_done):
    """Return a bound for the components of the next strain, with noise of six standard deviations."""
    space, excess = volume(motion.cell), 0.0
    for a in range(3):
        for b in range(3):
            part = abs(pressure(motion, scheme, a, b) - (scheme.pressure if a == b else 0.0))
            excess = part if not part <= excess else excess
    noise = 2 * target(scheme, steps_done) * scheme.softness * scheme.step / space
    return scheme.softness * scheme.step / 3 * excess + 6 * math.sqrt(noise / 3)


@kernel
def _exponential(matrix, sign, out):
    """Write the exponential of a small matrix (3, 3), or of its negative, to the last bit."""
    term = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    for a in range(3):
        for b in range(3):
            out[a, b] = term[3 * a + b]
    for order in range(1, 13):
        term = _times(term, matrix, sign / order)
        for a in range(3):
            for b in range(3):
                out[a, b] += term[3 * a + b]


@kernel
def _times(t, m, factor):
    return (
        factor * (t[0] * m[0, 0] + t[1] * m[1, 0] + t[2] * m[2, 0]),
        factor * (t[0] * m[0, 1] + t[1] * m[1, 1] + t[2] * m[2, 1]),
        factor * (t[0] * m[0, 2] + t[1] * m[1, 2] + t[2] * m[2, 2]),
        factor * (t[3] * m[0, 0] + t[4] * m[1, 0] + t[5] * m[2, 0]),
        factor * (t[3] * m[0, 1] + t[4] * m[1, 1] + t[5] * m[2, 1]),
        factor * (t[3] * m[0, 2] + t[4] * m[1, 2] + t[5] * m[2, 2]),
        factor * (t[6] * m[0, 0] + t[7] * m[1, 0] + t[8] * m[2, 0]),
        factor * (t[6] * m[0, 1] + t[7] * m[1, 1] + t[8] * m[2, 1]),
        factor * (t[6] * m[0, 2] + t[7] * m[1, 2] + t[8] * m[2, 2]),
    )


@kernel
def _transform(rows, matrix):
    """Replace rows (n, 3) by rows @ matrix."""
    for i in range(len(rows)):
        x, y, z = rows[i, 0], rows[i, 1], rows[i, 2]
        for c in range(3):
            rows[i, c] = x * matrix[0, c] + y * matrix[1, c] + z * matrix[2, c]


@kernel
def apply_strain(motion, scheme):
    """Multiply cell and positions by exp(strain), velocities by the inverse; keep the virial of the old cell."""
    before, scratch = kinetic_energy(motion, scheme), motion.old_virial
    _exponential(motion.strain, 1.0, scratch)
    _transform(motion.positions, scratch)
    _transform(motion.cell, scratch)
    _exponential(motion.strain, -1.0, scratch)
    _transform(motion.velocities, scratch)
    motion.totals[EXCHANGED] += kinetic_energy(motion, scheme) - before
    for a in range(3):
        for b in range(3):
            scratch[a, b] = motion.virial[a, b]


@kernel
def count_strain(motion):
    """Count the change of the potential energy by the barostat, from the virials before and after."""
    for a in range(3):
        for b in range(3):
            mean = 0.5 * (motion.old_virial[a, b] + motion.virial[a, b])
            motion.totals[EXCHANGED] -= mean * motion.strain[a, b]


# --- halves of a step ---


@kernel
def first_half(motion, scheme, steps_done, rng):
    """Go from a whole step to the positions of the next forces."""
    temperature, half = target(scheme, steps_done), 0.5 * scheme.step
    if scheme.thermostat == CHAIN:
        if scheme.ramp != 0:  # a new temperature changes the energy of the chain from outside
            before = chain_energy(motion.chain, scheme.freedom, target(scheme, steps_done - 1))
            after = chain_energy(motion.chain, scheme.freedom, temperature)
            motion.totals[EXCHANGED] += after - before
        move_chain(motion, scheme, temperature, half)
    if scheme.barostat != RIGID:
        draw_strain(motion, scheme, temperature, rng)
    kick(motion, scheme, half)
    if scheme.barostat != RIGID:
        apply_strain(motion, scheme)
    if scheme.thermostat == LANGEVIN:
        drift(motion, half)
        langevin(motion, scheme, temperature, rng)
        drift(motion, half)
    else:
        drift(motion, scheme.step)


@kernel
def second_half(motion, scheme, steps_done, rng):
    """Go from the new forces to the end of the step."""
    temperature, half = target(scheme, steps_done), 0.5 * scheme.step
    if scheme.barostat != RIGID:
        count_strain(motion)
    kick(motion, scheme, half)
    if scheme.thermostat == RESCALING:
        rescale(motion, scheme, temperature, rng)
    elif scheme.thermostat == CHAIN:
        move_chain(motion, scheme, temperature, half)


@kernel
def conserved_energy(motion, scheme, steps_done):
    """Return the energy of atoms and chain without that which thermostat and barostat have added."""
    total = motion.totals[POTENTIAL] + kinetic_energy(motion, scheme) - motion.totals[EXCHANGED]
    if scheme.thermostat == CHAIN:
        total += chain_energy(motion.chain, scheme.freedom, target(scheme, steps_done - 1))
    return total

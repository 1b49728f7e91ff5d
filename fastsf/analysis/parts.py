"""The parts of an analysis."""

PARTS = {
    "means": "means of temperature, energies, pressure, ..., and drift",
    "rdf": "radial distribution functions",
    "msd": "mean square displacements and diffusion",
    "vdos": "velocity autocorrelation and vibrational density of states",
}

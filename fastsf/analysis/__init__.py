"""What is asked of a run: structure, motion, vibrations, means with errors.

Modules: `averages` (means, block errors, drift), `rdf` (radial distribution functions), `motion` (positions and
velocities of a run), `diffusion` (mean square displacements), `vibrations` (velocity autocorrelation, density of
states), `series` (temperature, energies, pressure, ... from frames or from a log), `study` (all of them in one pass).
"""

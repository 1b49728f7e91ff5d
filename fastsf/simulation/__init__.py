"""Simulations: what a run is, whatever moves the atoms."""

"""Helpers of the tests: systems, sets of functions, small potentials, fakes, and how commands are run."""

"""Plain NumPy implementations of the published equations, independent of the kernels."""

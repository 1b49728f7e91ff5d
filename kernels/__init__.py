"""Compiled kernels: arrays in, arrays out; they neither validate nor raise.

This package imports nothing of fastsf but itself: the compile cache is keyed by the source of these files alone.
"""

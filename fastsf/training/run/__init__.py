"""A training as it runs: preparation, loop, history, checkpoint, report.

Belongs here: what happens from a configuration to a folder with a model.
"""

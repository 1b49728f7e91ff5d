"""Configurations of trainings: sections, files, templates, suggestions, folders of n2p2.

Belongs here: what is asked for. What is made of it is in training.objective and training.run.
"""

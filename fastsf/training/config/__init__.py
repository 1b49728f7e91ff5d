"""Configurations of trainings: sections, files, templates, suggestions, folders of n2p2.

Belongs here: reading, checking and writing what the user wants. training.preparation makes data and models of it.
"""

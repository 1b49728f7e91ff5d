"""Predictions for data sets: energies, forces and their errors against labels.

Belongs here: predict, error metrics, their report and parity plots. One structure: potentials.
"""

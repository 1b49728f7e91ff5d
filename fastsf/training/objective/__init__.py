"""The sum of squares that training minimises: samples, terms, weights, the trainable model.

Belongs here: numbers and derivatives. Files and seeds are in training.run.
"""

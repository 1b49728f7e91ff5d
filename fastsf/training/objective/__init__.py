"""The sum of squares that training makes small: samples, terms, weights, the trainable model.

Belongs here: numbers and derivatives. Files and seeds are in training.run.
"""

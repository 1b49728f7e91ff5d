"""Training of potentials: data, objective, optimisers, and the loop around them."""

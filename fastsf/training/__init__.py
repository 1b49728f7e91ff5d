"""Training of potentials: data, loss, optimisers, and the loop around them."""

"""File formats: settings and structures of n2p2 and RuNNer, definitions of functions, all that ASE reads."""

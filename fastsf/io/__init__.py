"""File formats, one file each: structures, labels, definitions of functions, TOML.

Belongs here: reading and writing, errors with file and line. Folders of potentials are in potentials.files, files that
only fastsf writes are with what writes them.
"""

"""File formats, one file each: structures, labels, definitions of functions, TOML.

Belongs here: readers and writers of formats, with errors that name file and line. Folders of potentials are in
potentials.files; formats of fastsf alone are in the package that writes them.
"""

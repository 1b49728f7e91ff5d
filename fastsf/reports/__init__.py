"""Reports: documents, pictures of functions and ranges, descriptions and checks of potentials.

Belongs here: the style of pictures, Markdown and HTML, and the text of ``fastsf inspect`` for potentials. Reports of
one subject (predictions, trainings, runs) are in the package of that subject.
"""

"""What people read: documents, pictures of functions and ranges, and what fastsf inspect says of a potential.

Belongs here: style of pictures, Markdown and HTML, checks and words for folders of potentials. Reports of one subject
(predictions, trainings, runs) are with that subject.
"""

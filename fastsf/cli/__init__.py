"""The command line: one file per command, options that commands share, what terminals show.

Belongs here: arguments, messages, exit codes. What commands do is in the packages below.
"""

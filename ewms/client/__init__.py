"""A shared service from Python and from the command line, by REST alone."""

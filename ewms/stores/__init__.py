"""Stores behind one contract: the journal of a workflow's events, and later the service's documents."""

"""Backends that start pilots, behind one contract."""

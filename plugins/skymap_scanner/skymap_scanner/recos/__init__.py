"""Reconstructions: what turns a direction into a likelihood."""

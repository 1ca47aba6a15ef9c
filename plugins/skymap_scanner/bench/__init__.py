"""Measurements of the plugin."""

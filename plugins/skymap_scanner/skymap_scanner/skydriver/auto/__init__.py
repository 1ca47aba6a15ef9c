"""Automated scanning: alerts come in, rules say what is done with them, maps go out."""

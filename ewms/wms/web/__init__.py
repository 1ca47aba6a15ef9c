"""The web interface: pages for people over the same functions as the REST routes."""

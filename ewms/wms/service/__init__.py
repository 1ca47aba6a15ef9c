"""The service: REST routes, control loops, and what runs beside them."""

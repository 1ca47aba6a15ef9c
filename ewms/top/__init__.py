"""`ewms top`: what goes on at a service or in a run directory, on a terminal, live."""

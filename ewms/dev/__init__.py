"""`ewms dev`: a whole service in one process tree with one folder, to try things with."""

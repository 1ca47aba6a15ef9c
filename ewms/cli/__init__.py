"""The `ewms` command, one file per group of commands."""

"""`python -m ewms`: the `ewms` command of this interpreter."""

from ewms.cli.main import main

main()

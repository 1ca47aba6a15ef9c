"""Runs workflows from this process: broker, driver and launcher put together, from Python and for the command line."""

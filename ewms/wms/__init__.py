"""Task distribution: the driver behind every workflow, and later the service."""

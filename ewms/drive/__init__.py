"""The driver host: drives workflows for the service, many at once, and takes over from hosts that died."""

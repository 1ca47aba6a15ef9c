"""SkyDriver: scans as a service, for programs and people."""

"""Commands of `skymap-scanner`, one file each."""

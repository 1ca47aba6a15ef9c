"""Reads events: alerts of IceCube's real-time system and the plugin's own JSON. Never runs what it reads."""

from skymap_scanner.reading.load import load_alert, load_alert_bytes

__all__ = ["load_alert", "load_alert_bytes"]

"""The worker process: loads consumers, runs events, sends encoded outcomes back. Imports as little as it can."""

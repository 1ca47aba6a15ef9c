"""Events made by the reconstruction's own photon model, for tests, demonstrations and calibration."""

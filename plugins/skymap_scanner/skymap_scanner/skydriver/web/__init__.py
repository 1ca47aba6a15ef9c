"""Pages of scans: what people see in a browser of what SkyDriver's interface gives to programs."""

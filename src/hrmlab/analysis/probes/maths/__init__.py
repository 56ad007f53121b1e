"""Mathematics that several probes share."""

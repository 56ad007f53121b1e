"""Results as figures and tables on disk, each figure beside its data."""

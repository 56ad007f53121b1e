"""Search for a better architecture and better hyper-parameters than a preset's, and proof that they are better."""

"""What gpu.py is made of."""

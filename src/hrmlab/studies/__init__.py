"""Comparisons that claim no more than their numbers allow: planned, run cell by cell, and judged."""

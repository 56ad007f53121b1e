"""Changes that come with code of their own: read before they run, run where they can do no harm, scored by us."""

"""The studio: a local page on which trained runs are played."""

"""Several systems trained alike, measured alike, and shown on one page."""

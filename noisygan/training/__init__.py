"""Training: phases, steps, the loop, and what it leaves in a run folder."""

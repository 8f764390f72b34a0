"""HTML pages about runs, comparisons, data sets and matches: each one self-contained file."""

"""The web instrument: its page and its engine in JavaScript, and what joins them in one file."""

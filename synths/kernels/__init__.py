"""The oscillator bank's formula written for a particular processor.

`synths.oscillators` holds the reference and chooses; nothing else should import from here.
"""

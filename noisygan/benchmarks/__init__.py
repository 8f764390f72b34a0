"""Measurements that anybody can repeat: `noisygan bench` and what benchmarks/ shares with it."""

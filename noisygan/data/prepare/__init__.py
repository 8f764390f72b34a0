"""Prepared recordings: shards of TFRecords and a manifest, written once and read often."""

"""`noisygan prepare`: from any folder of recordings to checked WAV shards and an index."""

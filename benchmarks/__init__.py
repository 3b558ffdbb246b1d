"""Benchmarks of Gossamer and its peers; they print every quoted figure."""

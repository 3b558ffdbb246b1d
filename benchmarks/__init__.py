"""Gossamer beside its peers: every figure quoted anywhere is printed by a command here."""

"""Faults and incidents: what failed, since when, for what common cause."""

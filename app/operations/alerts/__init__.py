"""Alerts: what opens one, what resolves it, and how it is told."""

"""Months that are closed: their figures stand, and change only by an amendment."""

"""Exemptions: times that are left out of assessment, such as planned maintenance, force majeure."""

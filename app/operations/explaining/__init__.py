"""What is behind the percentages: the outages of a month, to the second."""

"""The city's figure beside ours: what the bureau says of a month, and why it differs."""

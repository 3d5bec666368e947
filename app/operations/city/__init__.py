"""The city's figure beside ours: what the bureau says of each camera's month, and why it differs."""

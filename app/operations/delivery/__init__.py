"""What has to be sent, and its way to whoever should know."""

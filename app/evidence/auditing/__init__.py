"""A second, independent way from raw evidence to the ledger, and what differs between the two."""

"""The rates: of a month, of days, of this minute; by REST, by command."""

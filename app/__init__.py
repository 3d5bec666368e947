"""Everything with state: database, REST, pages, scheduling, alerts, reports."""

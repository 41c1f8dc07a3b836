"""Compare-and-swap in the ORM. Knows no requests."""

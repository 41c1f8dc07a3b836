"""What the RFCs say, and what the package answers. Knows no rows."""

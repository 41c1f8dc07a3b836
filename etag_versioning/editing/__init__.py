"""What a form shows of a row, and what differs where another write came in between."""

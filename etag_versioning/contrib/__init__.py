"""For Django's own apps."""

"""Bumps the rows that show what is written."""

"""Triggers that bump the version on writes that bypass the ORM."""

"""Fingerprints of loaded code: of views, and of everything in the project that they name."""

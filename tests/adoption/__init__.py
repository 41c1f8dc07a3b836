"""Other people's projects adopt the package, step by step as docs/adopting.md says."""

"""A newspaper whose tags are honest, written in many of the ways that people write views."""

"""A project that uses the package, for type checkers alone: nothing of it runs."""

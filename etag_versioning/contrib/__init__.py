"""For other packages, which need not be installed."""

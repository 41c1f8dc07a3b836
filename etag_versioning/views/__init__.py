"""The algorithms behind ``decorators``, for plain and for async views."""

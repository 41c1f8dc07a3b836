"""
Versioned rows for Django: 304 without the work, 412 on stale writes.

The public names live in the modules ``models``, ``decorators``, ``fields``,
``exceptions``, ``middleware`` and ``rest_framework``.
"""

__version__ = "0.1.0"

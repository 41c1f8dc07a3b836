"""
``manage.py etag_doctor``: what is versioned in a project, what guards it, and what is wrong.

``models.py`` and ``views.py`` look at the code and at the databases, ``project.py`` at the
settings, the checks and the audit; ``report.py`` writes.
"""

from __future__ import annotations

from .report import Report, diagnose

__all__ = ["Report", "diagnose"]

"""
The audit of an address: rows that its answer shows are changed, and its tag has to follow.

No module that answers requests imports this one.
"""

from .engine import AuditError, audit_address
from .report import Report

__all__ = ["AuditError", "Report", "audit_address"]

"""
The audit of a running project (the setting ``AUDIT``): a share of the would-be 304s is rendered
and compared with what was last sent under the same tag.

``answers.py`` has the steps, which views take by their own subclass of ``AuditedRead``;
``digests.py`` makes a response comparable without keeping its content, ``findings.py`` is what
the cache holds, and ``isolation.py`` undoes what a view does that should not have run.
"""

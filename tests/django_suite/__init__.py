"""
Django's own tests of models, run with every model a ``VersionedModel``, every manager a
``VersionedManager`` and every queryset a ``VersionedQuerySet``.

What should differ is listed, with its reason, in ``differences.txt``. A test that fails
without being listed is an error, and so is a listed test that passes.
"""

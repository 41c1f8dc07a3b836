"""
What an address saves by its tags, measured from outside::

    python -m etag_versioning.benchmark https://api.example.com/users/7/
    python manage.py etag_benchmark /users/7/

The first knows nothing of Django, and measures any server. Needs the extra
``bench``; nothing else of the package imports this.
"""

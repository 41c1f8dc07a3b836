from django.apps import apps

collect_ignore = [] if apps.is_installed("pgtrigger") else ["test_pgtrigger.py"]

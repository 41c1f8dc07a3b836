import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
# Under ASGI, a request's connection is not the next one's: kept open, they pile up.
os.environ.setdefault("CONN_MAX_AGE", "0")

application = get_asgi_application()

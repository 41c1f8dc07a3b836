"""Two people who may edit everything in the admin: two are needed for a conflict."""

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

LOGINS = ("ada", "alan")
PASSWORD = "demo"


class Command(BaseCommand):
    help = 'Create the logins "ada" and "alan" of /admin/, with the password "demo".'

    def handle(self, **options):
        for name in LOGINS:
            if not User.objects.filter(username=name).exists():
                User.objects.create_superuser(name, password=PASSWORD)
        if options["verbosity"]:
            self.stdout.write(f'/admin/ takes {" and ".join(LOGINS)}, password "{PASSWORD}".')

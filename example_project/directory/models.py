from django.db import models

from etag_versioning.models import TouchingMixin, VersionedModel


class Office(VersionedModel):
    # Users show their office and their team. To rename one is rare, and costs one UPDATE
    # of all of its users.
    touches = ("users",)

    name = models.CharField(max_length=100, unique=True)
    city = models.CharField(max_length=100)
    country = models.CharField(max_length=2)

    def __str__(self):
        return self.name


class Team(VersionedModel):
    touches = ("users",)

    name = models.CharField(max_length=100, unique=True)
    purpose = models.CharField(max_length=200, blank=True)

    def __str__(self):
        return self.name


class User(VersionedModel):
    """Somebody on the staff: fifteen fields, and three more tables to show them."""

    username = models.CharField(max_length=50, unique=True)
    first_name = models.CharField(max_length=50)
    last_name = models.CharField(max_length=50)
    email = models.EmailField()
    job_title = models.CharField(max_length=100)
    department = models.CharField(max_length=100)
    employee_number = models.CharField(max_length=20, unique=True)
    biography = models.TextField(blank=True)
    birth_date = models.DateField(null=True, blank=True)
    hired_on = models.DateField()
    salary_band = models.CharField(max_length=5)
    leave_days = models.PositiveIntegerField(default=0)
    desk = models.CharField(max_length=20, blank=True)
    time_zone = models.CharField(max_length=50, default="UTC")
    is_active = models.BooleanField(default=True)
    team = models.ForeignKey(Team, models.PROTECT, related_name="users")
    office = models.ForeignKey(Office, models.PROTECT, related_name="users")

    class Meta:
        ordering = ("id",)

    def __str__(self):
        return self.username


class PhoneNumber(TouchingMixin):
    touches = ("user",)

    user = models.ForeignKey(User, models.CASCADE, related_name="phone_numbers")
    kind = models.CharField(max_length=20)
    number = models.CharField(max_length=30)

    class Meta:
        ordering = ("id",)

    def __str__(self):
        return self.number

"""The rows that are read and written."""

from datetime import date

from benchmarks.models import Employee, Office, Role, Team

NOTES = "Notes on the engine, and on what it can do that nobody has ordered it to. " * 15
_BATCH = 20_000


def columns():
    """The values of the columns that are written."""
    return {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "title": "Analyst",
        "notes": "Notes on the engine. " * 20,
        "hired": date(2026, 1, 1),
    }


def make_employees(count):
    """Let there be ``count`` employees, made in the database itself."""
    there = Employee.objects.count()
    if not there:
        _first()
        there = 1
    fields = [field for field in Employee._meta.concrete_fields if not field.primary_key]
    row = Employee.objects.values(*(field.attname for field in fields)).first()
    while there < count:
        size = min(_BATCH, count - there)
        Employee.objects.bulk_create((Employee(**row) for _ in range(size)), batch_size=2000)
        there += size


def _first():
    joined = {
        model: model.objects.create(name="Engines", city="London", notes=NOTES)
        for model in (Team, Office, Role)
    }
    Employee.objects.create(
        **columns() | {"notes": NOTES},
        phone="+44 20 7946 0000",
        street="12 St James's Square",
        city="London",
        salary="1234.50",
        team=joined[Team],
        office=joined[Office],
        role=joined[Role],
    )

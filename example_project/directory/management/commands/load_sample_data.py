"""200 users and 1,000 products, the same in each empty database."""

import random
from datetime import date, timedelta
from decimal import Decimal

from django.core.management.base import BaseCommand
from django.core.management.color import no_style
from django.db import connection, transaction

from example_project.catalogue.models import Product
from example_project.directory.models import Office, PhoneNumber, Team, User

MODELS = (PhoneNumber, User, Team, Office, Product)
USERS = 200
PRODUCTS = 1000

FIRST_NAMES = ("Ada", "Barbara", "Carol", "Dennis", "Edsger", "Frances", "Grace", "Hedy", "Ivan")
LAST_NAMES = ("Abara", "Berg", "Castro", "Dimitrov", "Eriksen", "Fofana", "Gupta", "Hoang", "Ito")
TEAMS = ("Billing", "Platform", "Search", "Security", "Support", "Warehouse")
OFFICES = (("Harbour", "Hamburg", "DE"), ("Hill", "Lisbon", "PT"), ("Lake", "Geneva", "CH"))
JOBS = ("Accountant", "Analyst", "Designer", "Engineer", "Manager", "Technician")
THINGS = ("bolt", "bracket", "cable", "clamp", "gasket", "hinge", "nut", "panel", "valve", "washer")
METALS = ("aluminium", "brass", "bronze", "copper", "nickel", "steel", "titanium", "zinc")


class Command(BaseCommand):
    help = "Load 200 users and 1,000 products, unless the database has rows already."

    def add_arguments(self, parser):
        parser.add_argument(
            "--reset", action="store_true", help="delete the rows that are there, and load"
        )

    @transaction.atomic
    def handle(self, **options):
        if options["reset"]:
            for model in MODELS:
                model.objects.all().delete()
        elif any(model.objects.exists() for model in MODELS):
            if options["verbosity"]:
                self.stdout.write("Kept the rows that are there; --reset replaces them.")
            return
        chance = random.Random(20)
        teams = Team.objects.bulk_create(
            Team(pk=number, name=name, purpose=f"All that has to do with {name.lower()}")
            for number, name in enumerate(TEAMS, start=1)
        )
        offices = Office.objects.bulk_create(
            Office(pk=number, name=name, city=city, country=country)
            for number, (name, city, country) in enumerate(OFFICES, start=1)
        )
        User.objects.bulk_create(
            make_user(chance, number, chance.choice(teams), chance.choice(offices))
            for number in range(1, USERS + 1)
        )
        PhoneNumber.objects.bulk_create(
            PhoneNumber(user_id=number, kind=kind, number=f"+49 40 {chance.randint(10**6, 10**7)}")
            for number in range(1, USERS + 1)
            for kind in ("desk", "mobile", "home")
        )
        Product.objects.bulk_create(
            make_product(chance, number) for number in range(1, PRODUCTS + 1)
        )
        reset_sequences(User, Team, Office, Product)
        if options["verbosity"]:
            self.stdout.write(f"Loaded {USERS} users and {PRODUCTS} products.")


def reset_sequences(*models):
    """Rows with given keys leave PostgreSQL's sequences behind them."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def make_user(chance, number, team, office):
    first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
    username = f"{first}.{last}.{number}".lower()
    job = chance.choice(JOBS)
    return User(
        pk=number,
        username=username,
        first_name=first,
        last_name=last,
        email=f"{username}@example.org",
        job_title=job,
        department=f"{team.name} department",
        employee_number=f"E{number:05}",
        biography=" ".join(
            f"{first} has worked on {chance.choice(METALS)} {chance.choice(THINGS)}s for "
            f"{chance.randint(2, 30)} years and keeps {chance.randint(2, 9)} notebooks about them."
            for _ in range(chance.randint(30, 40))
        ),
        birth_date=date(1960, 1, 1) + timedelta(days=chance.randint(0, 15000)),
        hired_on=date(2005, 1, 1) + timedelta(days=chance.randint(0, 7000)),
        salary_band=f"B{chance.randint(1, 9)}",
        leave_days=chance.randint(0, 30),
        desk=f"{office.name[0]}{chance.randint(1, 400)}",
        time_zone="Europe/Berlin",
        is_active=chance.random() < 0.9,
        team=team,
        office=office,
    )


def make_product(chance, number):
    metal, thing = chance.choice(METALS), chance.choice(THINGS)
    return Product(
        pk=number,
        sku=f"P{number:06}",
        name=f"{metal.title()} {thing} {number}",
        description=f"A {thing} of {metal}, {chance.randint(2, 90)} mm.",
        price=Decimal(chance.randint(50, 20000)) / 100,
        stock=chance.randint(0, 500),
    )

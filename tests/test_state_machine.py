"""
Random sequences of all writes by two actors, against a model of the truth.

Two actors hold instances of the same few rows, and write through them, through
querysets and past them, in transactions that commit or roll back. After each
step: the row's content changed if and only if its version moved, and never to a
state that it had before; a write was refused as stale if and only if the row had
moved since the instance was read; nothing is lost; and no instance disagrees
with its row while it says the same state.
"""

import os

import pytest
from django.db import models, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from etag_versioning.exceptions import StaleWriteError
from etag_versioning.orm.state_columns import state_columns
from tests.testapp.models import Book, Counter, Leaf, Login, Person, Restaurant, Seat, Shelf

ACTORS = st.sampled_from("AB")
SLOTS = st.integers(0, 2)
NUMBERS = st.integers(0, 3)


class Writes(RuleBasedStateMachine):
    model = Person
    field = "days"

    def make(self, number):
        return self.model.objects.create(name=f"{number}")

    @initialize()
    def rows(self):
        self.model.objects.all().delete()
        self.keys = []
        for number in range(3):
            self.keys.append(self.make(number).pk)
        self.columns = state_columns(self.model)
        # What is known to be true: each row's state and content, and every state it had.
        self.truth = {key: self.read(key) for key in self.keys}
        self.history = {key: [self.truth[key][0]] for key in self.keys}
        self.held = {}

    def read(self, key):
        row = self.model._base_manager.filter(pk=key).first()
        return None if row is None else (self.columns.state_of(row), getattr(row, self.field))

    def moved(self, key, content, *, moves=True):
        """A write of ours has succeeded: the truth is what it has to be now."""
        before = self.truth[key]
        now = self.read(key)
        assert now is not None
        assert now[1] == content
        # An instance that knows what the row holds need not write it again.
        skipped = self.model.skip_unchanged and content == before[1] and now[0] == before[0]
        if not moves or skipped:
            assert now[0] == before[0]
        else:
            assert now[0].version == before[0].version + 1
            assert now[0] not in self.history[key]
            if before[0].timestamp is not None:
                assert now[0].timestamp > before[0].timestamp
            self.history[key].append(now[0])
        self.truth[key] = now

    def holds(self, actor, slot):
        return self.held.get((actor, slot))

    def fresh(self, instance):
        """Whether the row is in the state in which ``instance`` was read."""
        truth = self.truth[instance.key]
        return truth is not None and truth[0] == self.columns.state_of(instance)

    def attempt(self, instance, write, content):
        """A write through an instance: it succeeds if and only if that is fresh."""
        before = self.columns.state_of(instance)
        if self.fresh(instance):
            write()
            self.moved(instance.key, content)
            assert self.columns.state_of(instance) == self.truth[instance.key][0]
        else:
            with pytest.raises(StaleWriteError):
                write()
            assert self.columns.state_of(instance) == before

    # The actors' steps.

    @rule(actor=ACTORS, slot=SLOTS)
    def get(self, actor, slot):
        instance = self.model.objects.filter(pk=self.keys[slot]).first()
        if instance is not None:
            instance.key = self.keys[slot]
            self.held[actor, slot] = instance

    @rule(actor=ACTORS, slot=SLOTS, number=NUMBERS, fields=st.booleans())
    def save(self, actor, slot, number, fields):
        if instance := self.holds(actor, slot):
            setattr(instance, self.field, number)
            update_fields = [self.field] if fields else None
            self.attempt(instance, lambda: instance.save(update_fields=update_fields), number)

    @rule(actor=ACTORS, slot=SLOTS, number=NUMBERS)
    def save_in_a_transaction_that_is_rolled_back(self, actor, slot, number):
        if (instance := self.holds(actor, slot)) and self.fresh(instance):
            setattr(instance, self.field, number + 10)
            with transaction.atomic():
                instance.save()
                transaction.set_rollback(True)
            # The instance is stale now, and stays in somebody's hands.

    @rule(actor=ACTORS, slot=SLOTS, number=NUMBERS)
    def save_in_a_transaction_that_goes_on(self, actor, slot, number):
        if instance := self.holds(actor, slot):
            setattr(instance, self.field, number + 20)
            with transaction.atomic():
                self.attempt(instance, instance.save, number + 20)
                assert self.read(instance.key) == self.truth[instance.key]

    @rule(actor=ACTORS, slot=SLOTS)
    def delete(self, actor, slot):
        if instance := self.holds(actor, slot):
            if self.truth[instance.key] is None:
                assert instance.delete()[0] == 0
                del self.held[actor, slot]
            elif self.fresh(instance):
                instance.delete()
                self.truth[instance.key] = None
                del self.held[actor, slot]
            else:
                with pytest.raises(StaleWriteError):
                    instance.delete()

    @rule(actor=ACTORS, slot=SLOTS, number=NUMBERS)
    def save_raw(self, actor, slot, number):
        """As a fixture, or a revision that is reverted: past the comparison."""
        instance = self.holds(actor, slot)
        if instance and self.truth[instance.key] is not None:
            setattr(instance, self.field, number + 70)
            models.Model.save_base(instance, raw=True)
            self.moved(instance.key, number + 70)
            assert self.fresh(instance)

    @rule(actor=ACTORS, slot=SLOTS, number=NUMBERS)
    def save_under_another_key(self, actor, slot, number):
        instance = self.holds(actor, slot)
        if instance and self.truth[instance.key] is not None:
            copied = type(instance).objects.get(pk=instance.key)
            self.rekey(copied, number)
            key = copied.pk
            if not self.model._base_manager.filter(pk=key).exists():
                copied.save()
                self.look_between_writes()
                assert self.model._base_manager.filter(pk=key).delete()[0]

    def look_between_writes(self):
        """Of two writes in one step, each is looked at by itself."""

    def rekey(self, copied, number):
        copied.pk = 1_000_000 + number

    @rule(slot=SLOTS, number=NUMBERS)
    def update(self, slot, number):
        key = self.keys[slot]
        count = self.model.objects.filter(pk=key).update(**{self.field: number + 30})
        assert count == (self.truth[key] is not None)
        if count:
            self.moved(key, number + 30)

    @rule(slot=SLOTS, number=NUMBERS)
    def update_unversioned(self, slot, number):
        key = self.keys[slot]
        rows = self.model.objects.unversioned().filter(pk=key)
        if rows.update(**{self.field: number + 40}):
            self.moved(key, number + 40, moves=False)

    @rule(slot=SLOTS, number=NUMBERS, right=st.booleans())
    def update_expecting(self, slot, number, right):
        key = self.keys[slot]
        if self.truth[key] is None:
            return
        version = self.truth[key][0].version + (not right)
        rows = self.model.objects.filter(pk=key).expect(**{self.columns.version.name: version})
        if right:
            rows.update(**{self.field: number + 50})
            self.moved(key, number + 50)
        else:
            with pytest.raises(StaleWriteError):
                rows.update(**{self.field: number + 50})

    @rule(actor=ACTORS, number=NUMBERS)
    def bulk_update(self, actor, number):
        batch = [self.held[actor, slot] for slot in range(3) if (actor, slot) in self.held]
        if not batch:
            return
        for instance in batch:
            setattr(instance, self.field, number + 60)
        stale = [instance.pk for instance in batch if not self.fresh(instance)]
        before = [self.columns.state_of(instance) for instance in batch]
        if stale:
            with pytest.raises(StaleWriteError) as caught:
                self.model.objects.bulk_update(batch, [self.field])
            assert sorted(caught.value.pk) == sorted(stale)
            assert [self.columns.state_of(instance) for instance in batch] == before
        else:
            self.model.objects.bulk_update(batch, [self.field])
            for instance in batch:
                self.moved(instance.key, number + 60)
                assert self.columns.state_of(instance) == self.truth[instance.key][0]

    @rule(slot=SLOTS)
    def delete_by_query_set(self, slot):
        self.model.objects.filter(pk=self.keys[slot]).delete()
        self.truth[self.keys[slot]] = None

    @precondition(lambda self: any(row is None for row in self.truth.values()))
    @rule()
    def make_again(self):
        key = next(key for key, row in self.truth.items() if row is None)
        self.make_with(key)
        self.truth[key] = self.read(key)
        # A version alone starts over; with a timestamp, no state comes twice.
        if self.columns.timestamp is not None:
            assert self.truth[key][0] not in self.history[key]
            self.history[key].append(self.truth[key][0])
        else:
            self.history[key] = [self.truth[key][0]]
            self.held = {
                place: instance for place, instance in self.held.items() if instance.key != key
            }

    def make_with(self, key):
        self.model(pk=key, name="again").save()

    @rule(actor=ACTORS, slot=SLOTS)
    def refresh(self, actor, slot):
        if (instance := self.holds(actor, slot)) and self.truth[instance.key] is not None:
            instance.refresh_from_db()
            assert self.fresh(instance)

    @invariant()
    def the_database_holds_the_truth(self):
        for key, row in getattr(self, "truth", {}).items():
            assert self.read(key) == row


class CounterWrites(Writes):
    model, field = Counter, "value"

    def make(self, number):
        return Counter.objects.create()

    def make_with(self, key):
        Counter(pk=key).save()

    # Without a timestamp, a rolled-back write can be taken for another's.
    save_in_a_transaction_that_is_rolled_back = None


class RestaurantWrites(Writes):
    model, field = Restaurant, "stars"

    def rekey(self, copied, number):
        copied.pk = copied.id = 1_000_000 + number


class SeatWrites(Writes):
    model, field = Seat, "number_of_guests"

    def make(self, number):
        return Seat.objects.create(row="a", number=number)

    def make_with(self, key):
        Seat(pk=key).save()

    def rekey(self, copied, number):
        copied.number = 1_000_000 + number


class LoginWrites(Writes):
    """With ``skip_unchanged``: content that stays keeps its version."""

    model, field = Login, "data"

    def rekey(self, copied, number):
        super().rekey(copied, number)
        copied.name = "copied"

    def make_with(self, key):
        Login(pk=key, name=f"again {key}").save()

    # What an unversioned write changed, an instance takes for what it remembers.
    update_unversioned = None


class LeafWrites(Writes):
    """Each is shown in a book, on a shelf: they move if and only if one of theirs was written."""

    model, field = Leaf, "number"

    def rekey(self, copied, number):
        super().rekey(copied, number)
        copied.name = "copied"

    @initialize()
    def rows(self):
        Book.objects.all().delete()
        Shelf.objects.all().delete()
        self.shelf = Shelf.objects.create(name="s")
        self.books = [Book.objects.create(name=name, shelf=self.shelf) for name in "ab"]
        super().rows()
        self.shown, self.parents = self.content(), self.states()

    def make(self, number):
        return Leaf.objects.create(name=f"{number}", book=self.books[number % 2])

    def make_with(self, key):
        Leaf(pk=key, name=f"again {key}", book=self.books[0]).save()

    def content(self):
        # A save of the same content is a write too; one that is unversioned is none.
        found = {book.pk: set() for book in self.books}
        for pk, book, version in Leaf.objects.values_list("pk", "book", "version"):
            found[book].add((pk, version))
        return found

    def states(self):
        books = Book.objects.values_list("pk", "version", "updated_at")
        shelf = Shelf.objects.values_list("version", "updated_at").get()
        return {pk: state for pk, *state in books}, shelf

    @rule(slot=SLOTS, number=NUMBERS, by_key=st.booleans())
    def change_hands(self, slot, number, by_key):
        book, rows = self.books[number % 2], Leaf.objects.filter(pk=self.keys[slot])
        value = {"book_id": book.pk} if by_key else {"book": book}
        if rows.update(**value):
            self.moved(self.keys[slot], self.truth[self.keys[slot]][1])

    @rule(actor=ACTORS, slot=SLOTS, number=NUMBERS)
    def change_hands_by_save(self, actor, slot, number):
        if instance := self.holds(actor, slot):
            instance.book = self.books[number % 2]
            self.attempt(instance, instance.save, getattr(instance, self.field))

    @invariant()
    def what_shows_a_leaf_moves_with_it(self):
        if hasattr(self, "parents"):
            self.look_between_writes()

    def look_between_writes(self):
        shown, parents = self.content(), self.states()
        for pk, leaves in shown.items():
            assert (leaves != self.shown[pk]) == (parents[0][pk] != self.parents[0][pk])
        assert (shown != self.shown) == (parents[1] != self.parents[1])
        self.shown, self.parents = shown, parents


MACHINES = [Writes, CounterWrites, RestaurantWrites, SeatWrites, LoginWrites, LeafWrites]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("machine", MACHINES)
def test_any_sequence_of_writes(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("STATE_MACHINE_EXAMPLES", "10")),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

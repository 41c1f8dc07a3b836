"""PUT and PATCH of several rows at once, each with the tag of the state that it edits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar

from django.db import DatabaseError, IntegrityError, connections, transaction
from django.http import Http404
from django.utils.decorators import classonlymethod
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.mixins import UpdateModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from ..columns import state_columns
from ..exceptions import StaleWriteError
from ..guards import is_lost_race
from ..paths import touches_of
from ..preconditions import (
    CONFLICT,
    GONE,
    UNAVAILABLE,
    Decision,
    Outcome,
    Validators,
)
from ..touching_writes import Source, touch_for_rows
from ..validators import Row, for_write
from .bulk_content import BulkContent, Item
from .conflicts import shown_content
from .current import read_representation
from .exceptions import LostRace, PreconditionError
from .hooks import hooked
from .statements import counting_moves
from .views import VersionedViewMixin

__all__ = ["BulkUpdate", "VersionedBulkUpdateMixin"]


class VersionedBulkUpdateMixin(UpdateModelMixin, VersionedViewMixin):
    """
    Lets PUT and PATCH of a view set's list update several rows: all or none.

    The content is a list of items, each with its key and, in the serializer's
    ``ETagField``, its tag. Rows that the user does not see are 404, object
    permissions are asked for each; then 428 names the items without a tag, and 412
    those that are stale, with their current tags; then the content is validated,
    and each row is written by ``perform_update()``, in one transaction.

    Attributes:
        bulk_limit: how many items one request may have.

    Example::

        class UserViewSet(VersionedBulkUpdateMixin, VersionedModelViewSet):
            queryset = User.objects.all()
            serializer_class = UserSerializer  # with etag = ETagField()
    """

    bulk_limit: ClassVar[int] = 100

    @classonlymethod
    def as_view(cls, actions: Any = None, **initkwargs: Any) -> Any:
        """DRF's; the route of the list gets the two methods."""
        if actions and "list" in actions.values():
            actions = {"put": "bulk_update", "patch": "partial_bulk_update", **actions}
        return super().as_view(actions, **initkwargs)  # type: ignore[call-arg]

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        if (self.lookup_url_kwarg or self.lookup_field) in self.kwargs:
            return super().options(request, *args, **kwargs)
        # DRF asks for the object of each PUT that it describes, and a list has none.
        with hooked(self, get_object=_no_object):
            return super().options(request, *args, **kwargs)

    def bulk_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return BulkUpdate(self, partial=False).respond()

    def partial_bulk_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return BulkUpdate(self, partial=True).respond()


def _no_object() -> Any:
    raise Http404


class BulkUpdate:
    """One request that updates several rows."""

    def __init__(self, view: VersionedBulkUpdateMixin, *, partial: bool) -> None:
        self.view = view
        self.partial = partial
        self.content = BulkContent(view)
        self.items: list[Item] = []

    def respond(self) -> Response:
        self.view._check_media_type()
        self.items = self.content.read(self.view.request.data)
        self.load(self.items)
        self.refuse([(item, self.judge(item)) for item in self.items])
        self.validate()
        try:
            self.write()
        except IntegrityError as error:
            # Each item is valid by itself.
            message = "These items cannot all be written: their values exclude each other."
            raise ValidationError({"non_field_errors": [message]}) from error
        except (StaleWriteError, DatabaseError) as error:
            if not is_lost_race(error):
                raise
            raise LostRace(partial(self.settle, error)) from error
        return Response([item.serializer.data for item in self.items])

    # The rows.

    def load(self, items: Sequence[Item]) -> None:
        keys = [item.key for item in items if item.key is not None]
        found = self.find(self.view.lookup_field, keys)
        unknown = [str(number) for number, item in enumerate(items) if item.key not in found]
        if unknown:
            raise NotFound(f"There are no such rows: items {', '.join(unknown)} (from 0).")
        for item in items:
            item.instance = found[item.key]
            self.view.check_object_permissions(self.view.request, item.instance)
            item.row = self.view._row_of(item.instance)

    def find(self, name: str, keys: Sequence[Any]) -> dict[Any, Any]:
        """The view's rows with these keys, by key: one query."""
        view = self.view
        queryset = for_write(view.filter_queryset(view.get_queryset()))
        view._note_annotations(queryset)
        instances = list(queryset.filter(**{f"{name}__in": keys}))
        found = {getattr(instance, name): instance for instance in instances}
        if len(found) < len({instance.pk for instance in instances}):
            raise queryset.model.MultipleObjectsReturned(f"Several rows have the same {name}.")
        return found

    def judge(self, item: Item) -> Decision:
        with hooked(self.view, _conditions=item.headers):
            decision = self.view._judge(self.validators(item.row))
        if decision.outcome is Outcome.PROCEED:
            self.view._report(decision)
        return decision

    def validators(self, row: Row) -> Validators:
        # An item's tag is that of the state alone.
        return row.validators(read_representation(self.view))

    def refuse(self, judged: Sequence[tuple[Item, Decision]]) -> None:
        """Raise what there is to answer, unless each item's precondition holds."""
        for outcome in (Outcome.PRECONDITION_REQUIRED, Outcome.PRECONDITION_FAILED):
            refused = [(item, each) for item, each in judged if each.outcome is outcome]
            if refused:
                name = "stale" if outcome is Outcome.PRECONDITION_FAILED else "without_etag"
                shown = [self.shown(item, tag=name == "stale") for item, _ in refused]
                raise PreconditionError(refused[0][1], extra={name: shown})

    def shown(self, item: Item, *, tag: bool) -> dict[str, Any]:
        named = {self.content.key_name: item.key}
        if not tag:
            return named
        etag = str(item.row.validators().etag)
        return {**named, "current_etag": etag, **shown_content(self.view, item.instance)}

    def validate(self) -> None:
        for item in self.items:
            item.serializer = self.view.get_serializer(
                item.instance, data=item.data, partial=self.partial
            )
        valid = [item.serializer.is_valid() for item in self.items]
        if not all(valid):
            raise ValidationError([item.serializer.errors for item in self.items])

    # The write, in one order for all requests: so none waits for another that waits
    # for it.

    def write(self) -> None:
        for item in self.items:
            item.put_under_guard()
        ordered = sorted(self.items, key=lambda item: item.row.pk)
        using = ordered[0].guard.using
        with transaction.atomic(using=using):
            with ExitStack() as watched:
                for item in ordered:
                    watched.enter_context(item.guard.watch())
                self.lock(ordered, using)
                moves = watched.enter_context(counting_moves(using))
                for item in ordered:
                    item.refresh()  # Another item has touched it.
                    self.view.perform_update(item.serializer)
                for item in ordered if moves() > len(ordered) else ():
                    # Past the instances, for all that is known.
                    if not item.guard.deleted:
                        item.guard.reread()
            for item in ordered:
                if not item.guard.compared:
                    item.guard.lock()
                item.refresh()
                item.instance.__dict__.pop("_prefetched_objects_cache", None)

    def lock(self, ordered: Sequence[Item], using: str) -> None:
        """Lock what each item will touch, and then the rows that do not lock themselves."""
        self.lock_touched(using)
        own = type(self.view).perform_update is not UpdateModelMixin.perform_update
        loose = [item for item in ordered if item.guard.any_state]
        for item in ordered:
            if own or loose:
                item.guard.lock()
            # Or else by what was touched, in a circle of models.
            item.guard.claimed = item.guard.compared
        if loose:
            self.load_claimed(loose)

    def lock_touched(self, using: str) -> None:
        model: Any = type(self.items[0].instance)
        touches = touches_of(model)
        if touches is None or not connections[using].features.has_select_for_update:
            return
        written = [item.serializer.validated_data for item in self.items]
        values: dict[str, Collection[Any]] = {
            path.column: [data[path.first.name] for data in written if path.first.name in data]
            for path in touches.paths
            if path.column is not None
        }
        keys = [item.instance.pk for item in self.items]
        touch_for_rows([Source(model, keys, values)], using, compared=True)

    def load_claimed(self, loose: Sequence[Item]) -> None:
        """Load rows again that may be written in any state, where it is another by now."""
        for item in loose:
            item.guard.reread()
        moved = [item for item in loose if item.guard.state != item.row.state]
        if not moved:
            return
        self.load(moved)
        for item in moved:
            if item.guard.state != item.row.state:
                # The transaction is blind to what others wrote.
                raise StaleWriteError(item.guard.model, item.row.pk, item.guard.using)
        self.validate()

    # The write was lost to another's.

    def settle(self, error: Exception) -> APIException:
        """What to answer, by the rows as they are now."""
        items = self.items
        if not any(item.row.concerns(error) for item in items):
            return PreconditionError(CONFLICT)
        owner = state_columns(items[0].row.model).owner._meta.pk
        found = self.find(owner.attname, [item.row.pk for item in items])
        if any(item.row.pk not in found for item in items):
            return PreconditionError(GONE)
        moved = isinstance(error, StaleWriteError)
        for item in items:
            item.instance = found[item.row.pk]
            item.row = self.view._row_of(item.instance)
        try:
            self.refuse([(item, self.judge(item)) for item in items])
        except PreconditionError as refused:
            if refused.decision.outcome is Outcome.PRECONDITION_FAILED:
                return refused
        named = all(item.headers.if_match is not None for item in items)
        return PreconditionError(CONFLICT if moved and not named else UNAVAILABLE)

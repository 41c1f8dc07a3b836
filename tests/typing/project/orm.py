"""What querysets, managers and instances return: each keeps the model's type."""

from datetime import datetime
from typing import assert_type

from etag_versioning.models import VersionedManager, VersionedQuerySet

from .models import Counter, Page, PageQuerySet, Phone, Team, User

# A manager keeps the model, and its querysets are versioned ones.
assert_type(User.objects, VersionedManager[User])
assert_type(User.objects.get(pk=7), User)
assert_type(User.objects.first(), User | None)
assert_type(User.objects.create(name="Ada"), User)
assert_type(User.objects.get_or_create(name="Ada"), tuple[User, bool])
assert_type(User.objects.all(), VersionedQuerySet[User])
assert_type(User.objects.filter(name="Ada"), VersionedQuerySet[User])
assert_type(User.objects.exclude(name="Ada"), VersionedQuerySet[User])
assert_type(User.objects.order_by("name"), VersionedQuerySet[User])
assert_type(User.objects.select_related("team"), VersionedQuerySet[User])
assert_type(User.objects.using("replica"), VersionedQuerySet[User])

# What the package adds, on a manager and on a queryset.
assert_type(User.objects.unversioned(), VersionedQuerySet[User])
assert_type(User.objects.expect(version=3), VersionedQuerySet[User])
assert_type(User.objects.touch(), int)
assert_type(User.objects.filter(pk=7).unversioned(), VersionedQuerySet[User])
assert_type(User.objects.filter(pk=7).expect(version=3), VersionedQuerySet[User])
assert_type(User.objects.filter(pk=7).expect(version=3).get(), User)
assert_type(User.objects.filter(pk=7).expect(version=3).update(name="Ada"), int)
assert_type(User.objects.filter(pk=7).delete(), tuple[int, dict[str, int]])
assert_type(User.objects.bulk_create([User(name="Ada")]), list[User])

for user in User.objects.filter(name="Ada"):
    assert_type(user, User)

# The columns, and the methods of an instance.
user = User.objects.get(pk=7)
assert_type(user.version, int)
assert_type(user.updated_at, datetime)
assert_type(user.team, Team)
user.save(update_fields=["name"])
user.touch()

# The other mixins.
assert_type(Phone.objects.get(), Phone)
assert_type(Phone.objects.filter(user=user).touch(), int)
assert_type(Counter.objects.get().version, int)

# A manager and a queryset of the project's own.
assert_type(Page.objects.published(), PageQuerySet)
assert_type(Page.objects.published().unversioned(), PageQuerySet)
assert_type(Page.objects.published().get(), Page)


async def asynchronous() -> None:
    assert_type(await User.objects.aget(pk=7), User)
    assert_type(await User.objects.filter(pk=7).expect(version=3).aupdate(name="Ada"), int)
    assert_type(await User.objects.filter(pk=7).atouch(), int)
    await user.atouch()

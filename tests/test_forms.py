"""Model forms and formsets that don't overwrite what others saved."""

import datetime as dt

import pytest
from django import forms
from django.core import signing
from django.forms import inlineformset_factory, modelformset_factory
from django.http import QueryDict
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from etag_versioning.editing.snapshots import read_snapshots
from etag_versioning.editing.values import comparable, displayed
from etag_versioning.exceptions import StaleWriteError, VersionNotLoaded
from etag_versioning.forms import (
    BaseVersionedInlineFormSet,
    BaseVersionedModelFormSet,
    VersionedModelForm,
    VersionedModelFormMixin,
    versioned_form_class,
)
from tests.testapp.models import Book, Genre, Hidden, Person, Team

pytestmark = pytest.mark.django_db


class PersonForm(VersionedModelForm):
    class Meta:
        model = Person
        fields = ["name", "days", "team"]


class BookForm(VersionedModelForm):
    class Meta:
        model = Book
        fields = ["name", "genres"]


def sent(form, **values):
    """What a browser sends of a form: what the form shows, and what the person entered."""
    data = QueryDict(mutable=True)
    for bound in form:
        value = bound.value()
        for each in value if isinstance(value, list) else [value]:
            data.appendlist(bound.html_name, "" if each is None else str(getattr(each, "pk", each)))
    for name, value in values.items():
        data.setlist(name, value if isinstance(value, list) else [str(value)])
    return data


def opened(pk, form=PersonForm):
    return form(instance=form._meta.model.objects.get(pk=pk))


def saved_by_somebody_else(person, **values):
    other = type(person).objects.get(pk=person.pk)
    for name, value in values.items():
        setattr(other, name, value)
    other.save()


@pytest.fixture
def person():
    return Person.objects.create(name="Grace", days=3)


class TestSaving:
    def test_a_form_that_shows_the_current_state_is_saved(self, person):
        data = sent(opened(person.pk), name="Ada")
        form = PersonForm(data, instance=Person.objects.get())
        assert form.is_valid()
        form.save()
        person.refresh_from_db()
        assert (person.name, person.version) == ("Ada", 2)

    def test_a_form_that_shows_an_old_state_is_not_valid(self, person):
        data = sent(opened(person.pk), name="Ada")
        saved_by_somebody_else(person, days=9)
        form = PersonForm(data, instance=Person.objects.get())
        assert not form.is_valid()
        assert form.has_error("__all__", "conflict")

    def test_a_write_that_changed_no_field_of_the_form_is_a_conflict_too(self, person):
        data = sent(opened(person.pk), name="Ada")
        person.touch()
        form = PersonForm(data, instance=Person.objects.get())
        assert not form.is_valid()
        assert "No field of this form differs" not in str(form.conflict)
        assert [each.name for each in form.conflict.fields] == ["name"]

    def test_a_save_that_lost_a_race_raises_and_writes_nothing(self, person):
        data = sent(opened(person.pk), name="Ada")
        form = PersonForm(data, instance=Person.objects.get())
        assert form.is_valid()
        saved_by_somebody_else(person, name="Alan")
        with pytest.raises(StaleWriteError):
            form.save()
        assert Person.objects.get().name == "Alan"

    def test_a_save_is_strict_where_stale_writes_of_the_model_are_reported(
        self, person, monkeypatch
    ):
        monkeypatch.setattr(Person, "stale_writes", "report")
        data = sent(opened(person.pk), name="Ada")
        form = PersonForm(data, instance=Person.objects.get())
        assert form.is_valid()
        saved_by_somebody_else(person, name="Alan")
        with pytest.raises(StaleWriteError):
            form.save()
        assert Person.objects.get().name == "Alan"

    def test_a_new_row_is_compared_with_nothing(self):
        form = PersonForm({"name": "Ada", "days": "1"})
        assert form.is_valid()
        form.save()
        assert Person.objects.get().name == "Ada"

    def test_many_to_many_fields_are_saved_with_the_row(self):
        book = Book.objects.create(name="a")
        genre = Genre.objects.create(name="novel")
        data = sent(opened(book.pk, BookForm), genres=[str(genre.pk)])
        form = BookForm(data, instance=Book.objects.get())
        assert form.is_valid()
        form.save()
        assert list(book.genres.all()) == [genre]

    def test_commit_false_leaves_the_save_to_the_caller(self, person):
        data = sent(opened(person.pk), name="Ada")
        form = PersonForm(data, instance=Person.objects.get())
        assert form.is_valid()
        form.save(commit=False).save()
        form.save_m2m()
        assert Person.objects.get().name == "Ada"

    def test_the_hidden_field_is_not_in_the_cleaned_data_and_counts_as_no_change(self, person):
        form = PersonForm(sent(opened(person.pk)), instance=Person.objects.get())
        form.fields["versioned_state"].initial = "another"
        assert form.is_valid()
        assert set(form.cleaned_data) == {"name", "days", "team"}
        assert form.changed_data == []

    def test_an_instance_without_its_state_is_refused_with_the_mended_code(self, person):
        with pytest.raises(VersionNotLoaded, match=r'\.only\(…, "version", "updated_at"\)'):
            PersonForm(instance=Person.objects.only("name").get())

    def test_values_of_initial_do_not_hide_what_the_row_holds(self, person):
        shown = PersonForm(instance=Person.objects.get(), initial={"name": "Suggested"})
        data = sent(shown, name="Mine")
        saved_by_somebody_else(person, name="Alan")
        form = PersonForm(data, instance=Person.objects.get(), initial={"name": "Suggested"})
        (name,) = form.conflict.fields
        assert (name.original, name.theirs, name.mine) == ("Grace", "Alan", "Mine")

    def test_theirs_is_the_value_of_the_row_and_not_that_of_initial(self, person):
        initial = {"name": "Suggested"}
        data = sent(PersonForm(instance=Person.objects.get(), initial=initial), name="Mine")
        saved_by_somebody_else(person, name="Alan")
        refused = PersonForm(data, instance=Person.objects.get(), initial=initial)
        assert not refused.is_valid()
        data = sent(refused, **{"versioned_choice-name": "theirs"})
        PersonForm(data, instance=Person.objects.get(), initial=initial).save()
        assert Person.objects.get().name == "Alan"

    def test_a_lazy_instance_as_request_user_is_compared(self, person):
        lazy = SimpleLazyObject(Person.objects.get)
        data = sent(PersonForm(instance=lazy), name="Mine")
        saved_by_somebody_else(person, days=9)
        form = PersonForm(data, instance=SimpleLazyObject(Person.objects.get))
        assert form.has_error("__all__", "conflict")

    def test_a_lazy_instance_is_saved(self, person):
        data = sent(PersonForm(instance=SimpleLazyObject(Person.objects.get)), name="Mine")
        PersonForm(data, instance=SimpleLazyObject(Person.objects.get)).save()
        assert Person.objects.get().name == "Mine"


class DaysHidden(VersionedModelForm):
    class Meta:
        model = Person
        fields = ["name", "days"]
        widgets = {"days": forms.HiddenInput}


class TestHiddenInput:
    def test_what_others_wrote_to_a_field_with_hidden_input_is_kept(self, person):
        data = sent(opened(person.pk, DaysHidden), name="Mine")
        saved_by_somebody_else(person, days=9)
        refused = DaysHidden(data, instance=Person.objects.get())
        assert not refused.is_valid()
        DaysHidden(sent(refused), instance=Person.objects.get()).save()
        person.refresh_from_db()
        assert (person.name, person.days) == ("Mine", 9)

    def test_a_change_of_a_field_with_hidden_input_is_not_lost_in_a_formset(self, person):
        people = modelformset_factory(
            Person, DaysHidden, formset=BaseVersionedModelFormSet, extra=0
        )
        shown = people()
        data = sent(shown.management_form)
        data.update(sent(shown.forms[0], **{"form-0-days": 5}))
        saved_by_somebody_else(person, name="Theirs")
        formset = people(data)
        assert not formset.is_valid()
        (days,) = (each for each in formset.forms[0].conflict.fields if each.changed_by_me)
        assert (days.name, days.mine) == ("days", "5")


class TestHiddenField:
    def test_a_form_without_it_is_refused_and_shows_what_differs(self, person):
        form = PersonForm({"name": "Ada", "days": "3"}, instance=Person.objects.get())
        assert not form.is_valid()
        assert not form.conflict.is_known
        (name,) = form.conflict.fields
        assert (name.original, name.theirs, name.mine) == (None, "Grace", "Ada")

    def test_a_form_without_it_is_saved_where_it_is_not_required(self, person):
        class Lenient(PersonForm):
            state_required = False

        form = Lenient({"name": "Ada", "days": "3"}, instance=Person.objects.get())
        assert form.is_valid()

    def test_an_old_state_is_refused_also_where_none_is_required(self, person):
        class Lenient(PersonForm):
            state_required = False

        data = sent(opened(person.pk), name="Ada")
        saved_by_somebody_else(person, name="Alan")
        assert not Lenient(data, instance=Person.objects.get()).is_valid()

    def test_one_that_was_changed_names_no_state(self, person):
        data = sent(opened(person.pk), name="Ada")
        data["versioned_state"] = data["versioned_state"][:-1] + "!"
        form = PersonForm(data, instance=Person.objects.get())
        assert not form.is_valid()
        assert not form.conflict.is_known

    def test_that_of_another_row_names_no_state(self, person):
        other = Person.objects.create(name="Other")
        data = sent(opened(other.pk), name="Ada")
        form = PersonForm(data, instance=Person.objects.get(pk=person.pk))
        assert not form.is_valid()
        assert not form.conflict.is_known

    def test_that_of_another_model_with_the_same_key_names_no_state(self, person):
        team = Team.objects.create(pk=person.pk, name="Grace")

        class TeamForm(VersionedModelForm):
            class Meta:
                model = Team
                fields = ["name"]

        data = sent(TeamForm(instance=team), days="3")
        form = PersonForm(data, instance=Person.objects.get())
        assert not form.is_valid()
        assert not form.conflict.is_known

    def test_it_has_the_prefix_of_the_form(self, person):
        shown = PersonForm(instance=person, prefix="left")
        assert 'name="left-versioned_state"' in str(shown)
        data = sent(shown, **{"left-name": "Ada"})
        assert PersonForm(data, instance=Person.objects.get(), prefix="left").is_valid()

    def test_it_hides_the_key_where_the_tags_of_the_model_do(self):
        class HiddenForm(VersionedModelForm):
            class Meta:
                model = Hidden
                fields = ["name"]

        hidden = Hidden.objects.create(pk=987654, name="a")
        shown = HiddenForm(instance=hidden)
        (row,) = read_snapshots(sent(shown)["versioned_state"])
        assert row.key == str(hidden.uuid)
        form = HiddenForm(sent(shown, name="b"), instance=Hidden.objects.get())
        assert form.is_valid()

    def test_it_has_no_value_of_a_field_that_the_form_removes_for_this_person(self, person):
        class Restricted(PersonForm):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                del self.fields["days"]

        people = modelformset_factory(Person, Restricted, formset=BaseVersionedModelFormSet)
        alone = sent(opened(person.pk, Restricted))["versioned_state"]
        together = sent(people().management_form)["form-versioned_state"]
        for text in (alone, together):
            (row,) = read_snapshots(text)
            assert set(row.values) == {"name", "team"}

    def test_it_hides_key_and_version_with_opaque_tags(self, person, settings):
        settings.ETAG_VERSIONING = {"OPAQUE_TAGS": True}
        data = sent(opened(person.pk), name="Ada")
        (row,) = read_snapshots(data["versioned_state"])
        assert len(row.key) >= 24
        assert len(row.state[0]) >= 24
        assert row.state[1] is None
        assert PersonForm(data, instance=Person.objects.get()).is_valid()
        saved_by_somebody_else(person, name="Alan")
        assert not PersonForm(data, instance=Person.objects.get()).is_valid()

    def test_a_password_is_not_in_it(self, person):
        class Secret(PersonForm):
            class Meta(PersonForm.Meta):
                widgets = {"name": forms.PasswordInput}

        assert "name" not in Secret(instance=person).versioning.now.values
        assert "days" in Secret(instance=person).versioning.now.values

    def test_one_of_an_earlier_release_is_not_known(self, person):
        row = ["testapp.person", str(person.pk), [1, person.updated_at.isoformat()], {}]
        earlier = signing.dumps([row], salt="etag_versioning.forms", compress=True)
        data = sent(opened(person.pk), versioned_state=earlier)
        form = PersonForm(data, instance=Person.objects.get())
        assert not form.is_valid()
        assert not form.conflict.is_known


class TestConflicts:
    def test_it_shows_mine_theirs_and_the_original(self, person):
        data = sent(opened(person.pk), name="Mine")
        saved_by_somebody_else(person, name="Theirs")
        form = PersonForm(data, instance=Person.objects.get())
        (name,) = form.conflict.fields
        assert (name.label, name.original, name.theirs, name.mine) == (
            "Name",
            "Grace",
            "Theirs",
            "Mine",
        )
        assert name.needs_choice

    def test_it_says_when_the_row_was_written(self, person):
        data = sent(opened(person.pk), name="Mine")
        saved_by_somebody_else(person, name="Theirs")
        form = PersonForm(data, instance=Person.objects.get())
        assert form.conflict.changed_at == Person.objects.get().updated_at

    def test_a_field_that_both_changed_to_the_same_value_does_not_differ(self, person):
        data = sent(opened(person.pk), name="Same", days="5")
        saved_by_somebody_else(person, name="Same")
        form = PersonForm(data, instance=Person.objects.get())
        assert [each.name for each in form.conflict.fields] == ["days"]

    def test_the_form_shows_theirs_where_i_changed_nothing_and_mine_where_i_did(self, person):
        data = sent(opened(person.pk), name="Mine")
        saved_by_somebody_else(person, name="Theirs", days=9)
        form = PersonForm(data, instance=Person.objects.get())
        assert not form.is_valid()
        assert (form["name"].value(), form["days"].value()) == ("Mine", 9)

    def test_a_second_save_without_a_choice_saves_what_the_form_shows(self, person):
        data = sent(opened(person.pk), name="Mine")
        saved_by_somebody_else(person, name="Theirs", days=9)
        refused = PersonForm(data, instance=Person.objects.get())
        assert not refused.is_valid()
        form = PersonForm(sent(refused), instance=Person.objects.get())
        assert form.is_valid()
        form.save()
        person.refresh_from_db()
        assert (person.name, person.days) == ("Mine", 9)

    def test_theirs_can_be_taken_field_by_field(self, person):
        data = sent(opened(person.pk), name="Mine", days="4")
        saved_by_somebody_else(person, name="Theirs", days=9)
        refused = PersonForm(data, instance=Person.objects.get())
        assert not refused.is_valid()
        choices = {"versioned_choice-name": "theirs", "versioned_choice-days": "mine"}
        form = PersonForm(sent(refused, **choices), instance=Person.objects.get())
        assert form.is_valid()
        assert form.changed_data == ["days"]
        form.save()
        person.refresh_from_db()
        assert (person.name, person.days) == ("Theirs", 4)

    def test_a_field_taken_from_theirs_is_still_shown_where_another_has_an_error(self, person):
        data = sent(opened(person.pk), name="Mine", days="4")
        saved_by_somebody_else(person, name="Theirs", days=9)
        refused = PersonForm(data, instance=Person.objects.get())
        assert not refused.is_valid()
        again = sent(refused, days="x", **{"versioned_choice-name": "theirs"})
        form = PersonForm(again, instance=Person.objects.get())
        assert not form.is_valid()
        assert form.conflict is None
        assert form["name"].value() == "Theirs"
        assert not form.fields["name"].disabled

    def test_a_third_write_is_a_conflict_again(self, person):
        data = sent(opened(person.pk), name="Mine")
        saved_by_somebody_else(person, name="Theirs")
        refused = PersonForm(data, instance=Person.objects.get())
        assert not refused.is_valid()
        saved_by_somebody_else(person, name="Third")
        again = sent(refused, **{"versioned_choice-name": "mine"})
        form = PersonForm(again, instance=Person.objects.get())
        (name,) = form.conflict.fields
        assert (name.original, name.theirs, name.mine) == ("Theirs", "Third", "Mine")

    def test_the_page_escapes_what_was_entered(self, person):
        data = sent(opened(person.pk), name="<b>mine</b>")
        saved_by_somebody_else(person, name="<i>theirs</i>")
        page = str(PersonForm(data, instance=Person.objects.get()))
        assert "&lt;b&gt;mine&lt;/b&gt;" in page
        assert "&lt;i&gt;theirs&lt;/i&gt;" in page
        assert "<b>mine</b>" not in page
        assert "<table" in page

    def test_the_page_speaks_the_active_language(self, person):
        data = sent(opened(person.pk), name="Mine")
        saved_by_somebody_else(person, name="Theirs")
        with translation.override("de"):
            page = str(PersonForm(data, instance=Person.objects.get()))
        assert "Nichts wurde gespeichert" in page

    def test_an_entry_that_is_not_valid_is_shown_as_it_was_entered(self, person):
        data = sent(opened(person.pk), days="many")
        saved_by_somebody_else(person, days=9)
        form = PersonForm(data, instance=Person.objects.get())
        (days,) = form.conflict.fields
        assert (days.theirs, days.mine) == ("9", "many")

    def test_related_rows_are_shown_by_their_labels(self, person):
        first, second = (Team.objects.create(name=name) for name in ("A", "B"))
        Team.__str__, before = (lambda team: f"Team {team.name}"), Team.__str__
        try:
            data = sent(opened(person.pk), team=first.pk)
            saved_by_somebody_else(person, team=second)
            form = PersonForm(data, instance=Person.objects.get())
            (team,) = form.conflict.fields
        finally:
            Team.__str__ = before
        assert (team.original, team.theirs, team.mine) == ("", "Team B", "Team A")

    def test_a_change_of_a_many_to_many_field_is_shown(self):
        book = Book.objects.create(name="a")
        novel, poems = (Genre.objects.create(name=name) for name in ("novel", "poems"))
        data = sent(opened(book.pk, BookForm), genres=[str(novel.pk)])
        book.genres.set([poems])
        form = BookForm(data, instance=Book.objects.get())
        (genres,) = form.conflict.fields
        assert (genres.original, genres.theirs, genres.mine) == ("", str(poems), str(novel))

    def test_a_project_can_say_who_wrote(self, person):
        from etag_versioning.forms import Change

        class Known(PersonForm):
            def get_changes_since(self, timestamp):
                yield Change("Alan", timestamp, "renamed")

        before = timezone.now()
        data = sent(opened(person.pk), name="Mine")
        after = timezone.now()
        saved_by_somebody_else(person, name="Theirs")
        form = Known(data, instance=Person.objects.get())
        assert "Alan" in str(form.conflict)
        assert before <= form.conflict.changes[0].at <= after

    def test_a_form_shows_its_styles_only_with_a_conflict(self, person):
        assert "conflict.css" not in str(opened(person.pk).media)
        form = PersonForm({"name": "Ada", "days": "3"}, instance=Person.objects.get())
        assert not form.is_valid()
        assert "conflict.css" in str(form.media)


class TestOtherForms:
    def test_a_clean_that_does_not_call_super_is_compared_all_the_same(self, person):
        class Own(PersonForm):
            def clean(self):
                return {"name": "Own", "days": 1, "team": None}

        data = sent(opened(person.pk))
        saved_by_somebody_else(person, days=9)
        assert not Own(data, instance=Person.objects.get()).is_valid()

    def test_a_form_with_arguments_of_its_own(self, person):
        class Plain(forms.ModelForm):
            class Meta:
                model = Person
                fields = ["name"]

            def __init__(self, *args, user, **kwargs):
                super().__init__(*args, **kwargs)
                self.user = user

        Versioned = versioned_form_class(Plain)
        assert issubclass(Versioned, VersionedModelFormMixin)
        data = sent(Versioned(instance=Person.objects.get(), user="a"), name="Mine")
        saved_by_somebody_else(person, name="Theirs")
        assert not Versioned(data, instance=Person.objects.get(), user="a").is_valid()


PersonFormSet = modelformset_factory(
    Person, PersonForm, formset=BaseVersionedModelFormSet, extra=0, can_delete=True
)
PeopleOfTeam = inlineformset_factory(
    Team, Person, PersonForm, formset=BaseVersionedInlineFormSet, extra=1, fields=["name", "days"]
)


def sent_rows(formset, **values):
    data = sent(formset.management_form)
    for form in formset.forms:
        data.update(sent(form))
    for name, value in values.items():
        data[name] = value
    return data


class TestFormSets:
    @pytest.fixture
    def people(self):
        return [Person.objects.create(name=name) for name in ("Ada", "Grace")]

    def rows(self):
        return Person.objects.order_by("pk")

    def test_one_field_carries_the_states_of_all_rows(self, people):
        page = str(PersonFormSet(queryset=self.rows()))
        assert page.count("versioned_state") == 2  # Its name and its id.

    def test_rows_in_their_current_states_are_saved(self, people):
        data = sent_rows(PersonFormSet(queryset=self.rows()), **{"form-0-name": "A"})
        formset = PersonFormSet(data, queryset=self.rows())
        assert formset.is_valid()
        assert len(formset.save()) == 1
        assert [each.name for each in self.rows()] == ["A", "Grace"]

    def test_a_formset_that_creates_nothing_leaves_a_deleted_row_deleted_and_says_so(self, people):
        edited = modelformset_factory(
            Person, PersonForm, formset=BaseVersionedModelFormSet, extra=0, edit_only=True
        )
        data = sent_rows(edited(queryset=self.rows()), **{"form-0-name": "Mine"})
        people[0].delete()
        formset = edited(data, queryset=self.rows())
        assert not formset.is_valid()
        assert "it stays deleted" in str(formset.non_form_errors())

    def test_a_row_that_both_changed_is_a_conflict(self, people):
        data = sent_rows(PersonFormSet(queryset=self.rows()), **{"form-0-name": "Mine"})
        saved_by_somebody_else(people[0], name="Theirs")
        formset = PersonFormSet(data, queryset=self.rows())
        assert not formset.is_valid()
        (name,) = formset.forms[0].conflict.fields
        assert (name.original, name.theirs, name.mine) == ("Ada", "Theirs", "Mine")
        assert formset.forms[1].conflict is None

    def test_a_row_that_only_others_changed_keeps_what_they_wrote(self, people):
        data = sent_rows(PersonFormSet(queryset=self.rows()), **{"form-0-name": "Mine"})
        saved_by_somebody_else(people[1], name="Theirs")
        formset = PersonFormSet(data, queryset=self.rows())
        assert formset.is_valid()
        formset.save()
        assert [each.name for each in self.rows()] == ["Mine", "Theirs"]

    def test_it_can_be_saved_after_a_conflict(self, people):
        data = sent_rows(PersonFormSet(queryset=self.rows()), **{"form-0-name": "Mine"})
        saved_by_somebody_else(people[0], name="Theirs")
        refused = PersonFormSet(data, queryset=self.rows())
        assert not refused.is_valid()
        again = sent_rows(refused, **{"form-0-versioned_choice-name": "mine"})
        formset = PersonFormSet(again, queryset=self.rows())
        assert formset.is_valid()
        formset.save()
        assert [each.name for each in self.rows()] == ["Mine", "Grace"]

    def test_a_row_that_others_changed_is_not_deleted_unseen(self, people):
        data = sent_rows(PersonFormSet(queryset=self.rows()), **{"form-0-DELETE": "on"})
        saved_by_somebody_else(people[0], name="Theirs")
        formset = PersonFormSet(data, queryset=self.rows())
        assert not formset.is_valid()
        assert "Nothing was saved" in str(formset.non_form_errors())
        again = PersonFormSet(sent_rows(formset, **{"form-0-DELETE": "on"}), queryset=self.rows())
        assert again.is_valid()
        again.save()
        assert [each.name for each in self.rows()] == ["Grace"]

    def test_a_row_that_others_deleted_is_left_out_if_it_was_not_changed(self, people):
        data = sent_rows(PersonFormSet(queryset=self.rows()), **{"form-1-name": "Mine"})
        people[0].delete()
        formset = PersonFormSet(data, queryset=self.rows())
        assert formset.is_valid()
        formset.save()
        assert [each.name for each in self.rows()] == ["Mine"]

    def test_a_row_that_others_deleted_is_a_new_row_if_it_was_changed(self, people):
        data = sent_rows(PersonFormSet(queryset=self.rows()), **{"form-0-name": "Mine"})
        people[0].delete()
        formset = PersonFormSet(data, queryset=self.rows())
        assert not formset.is_valid()
        assert "Somebody else deleted this row" in str(formset.forms[1].errors)
        again = PersonFormSet(sent_rows(formset), queryset=self.rows())
        assert again.is_valid()
        again.save()
        assert [each.name for each in self.rows()] == ["Grace", "Mine"]

    def test_a_row_that_both_delete_is_deleted(self, people):
        data = sent_rows(PersonFormSet(queryset=self.rows()), **{"form-0-DELETE": "on"})
        people[0].delete()
        formset = PersonFormSet(data, queryset=self.rows())
        assert formset.is_valid()
        formset.save()
        assert [each.name for each in self.rows()] == ["Grace"]

    def test_new_rows_of_the_page_keep_what_was_entered_beside_one_that_is_gone(self):
        team = Team.objects.create(name="Search")
        person = Person.objects.create(name="Ada", team=team)
        data = sent_rows(PeopleOfTeam(instance=team), **{"person_set-1-name": "New"})
        data["person_set-0-name"] = "Mine"
        person.delete()
        formset = PeopleOfTeam(data, instance=Team.objects.get())
        assert not formset.is_valid()
        again = PeopleOfTeam(sent_rows(formset), instance=Team.objects.get())
        assert again.is_valid(), again.errors
        again.save()
        assert [each.name for each in self.rows()] == ["New", "Mine"]

    def test_rows_without_a_state_are_refused(self, people):
        data = sent_rows(PersonFormSet(queryset=self.rows()), **{"form-0-name": "Mine"})
        del data["form-versioned_state"]
        assert not PersonFormSet(data, queryset=self.rows()).is_valid()

    def test_a_new_row_of_an_inline_is_saved_beside_those_that_others_changed(self):
        team = Team.objects.create(name="Search")
        person = Person.objects.create(name="Ada", team=team)
        data = sent_rows(PeopleOfTeam(instance=team), **{"person_set-1-name": "New"})
        data["person_set-1-days"] = "0"
        saved_by_somebody_else(person, name="Theirs")
        formset = PeopleOfTeam(data, instance=Team.objects.get())
        assert formset.is_valid(), formset.errors
        formset.save()
        assert [each.name for each in self.rows()] == ["Theirs", "New"]


class TestComparableValues:
    @pytest.mark.parametrize(
        ("field", "stored", "entered"),
        [
            (forms.CharField(), "a\nb", "a\r\nb"),
            (forms.CharField(), None, ""),
            (forms.IntegerField(), 3, "3"),
            (forms.JSONField(), {"a": 1, "b": 2}, {"b": 2, "a": 1}),
            (forms.MultipleChoiceField(), ["b", "a"], ["a", "b"]),
            (
                forms.SplitDateTimeField(widget=forms.SplitDateTimeWidget),
                dt.datetime(2026, 1, 1, 12, 0, 1, 5, tzinfo=dt.UTC),
                dt.datetime(2026, 1, 1, 13, 0, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))),
            ),
        ],
    )
    def test_the_same_value_in_two_forms_is_equal(self, field, stored, entered):
        assert comparable(field, stored) == comparable(field, entered)

    @pytest.mark.parametrize(
        ("field", "first", "second"),
        [
            (forms.CharField(), "a", "A"),
            (forms.BooleanField(), True, False),
            (forms.JSONField(), [1, 2], [2, 1]),
            (forms.JSONField(), None, 0),
            (forms.DateField(), dt.date(2026, 1, 1), dt.date(2026, 1, 2)),
        ],
    )
    def test_different_values_differ(self, field, first, second):
        assert comparable(field, first) != comparable(field, second)

    def test_decimals_are_compared_as_numbers(self):
        from decimal import Decimal

        field = forms.DecimalField()
        assert comparable(field, Decimal("1.50")) == comparable(field, Decimal("1.5"))
        assert comparable(field, Decimal("100")) == "100"

    def test_decimals_with_many_digits_are_not_rounded(self):
        from decimal import Decimal

        field = forms.DecimalField()
        wei = "1234567890123456789012345678901"
        assert comparable(field, Decimal(wei)) == wei

    def test_choices_are_shown_by_their_labels(self):
        field = forms.ChoiceField(choices=[("Europe", [("de", "Germany")]), ("jp", "Japan")])
        assert displayed(field, "de") == "Germany"

    def test_moments_are_shown_in_the_active_time_zone(self):
        field = forms.DateTimeField()
        moment = comparable(field, dt.datetime(2026, 1, 1, 12, 0, tzinfo=dt.UTC))
        with timezone.override("Asia/Tokyo"):
            assert "9 p.m." in displayed(field, moment)

from django.db import migrations

from etag_versioning.operations import AddVersionTrigger


class Migration(migrations.Migration):
    dependencies = [("triggerapp", "0001_initial")]

    operations = [
        AddVersionTrigger("Author"),
        AddVersionTrigger("book", touches=("author", "editor")),
        AddVersionTrigger("stamped"),
        AddVersionTrigger("numbered"),
    ]

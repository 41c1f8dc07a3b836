from django.db import migrations, models

from etag_versioning.operations import AddVersionTrigger


class Migration(migrations.Migration):
    dependencies = [("triggerapp", "0002_version_triggers")]

    operations = [
        migrations.CreateModel(
            name="Subject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=50)),
            ],
        ),
        migrations.AddField(
            model_name="author",
            name="subjects",
            field=models.ManyToManyField(to="triggerapp.subject"),
        ),
        AddVersionTrigger("author_subjects", touches=("author",)),
    ]

"""The sweep's index by what SQLite can prove, too; the rows in it are the same."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("promotion", "0013_words_on_links_and_severities")]

    operations = [
        migrations.RemoveIndex(model_name="promotion", name="promotion_due"),
        migrations.AddIndex(
            model_name="promotion",
            index=models.Index(
                condition=models.Q(("next_look_at__isnull", False)),
                fields=["next_look_at"],
                name="promotion_due",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('promotion', '0010_tell_people'),
    ]

    operations = [
        migrations.AddField(
            model_name='sender',
            name='signed_by',
            field=models.CharField(blank=True, help_text="whose signature with the tool's own key is believed, and then nothing else", max_length=300),
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('promotion', '0006_slow_down_guessing'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='gateexception',
            options={'permissions': [('grant_exception', 'Can let a release past a gate')]},
        ),
        migrations.AddField(
            model_name='gateresult',
            name='exception',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='promotion.gateexception'),
        ),
    ]

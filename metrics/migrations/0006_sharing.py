import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0005_team_answers_evidence_files_and_actions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Sharing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shares', models.PositiveSmallIntegerField(choices=[(1, 'Levels only'), (2, 'Levels and answers'), (3, 'Levels, answers and evidence')], default=3)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='maturity_sharing', to='promotion.team')),
            ],
            options={
                'ordering': ['team'],
                'constraints': [models.CheckConstraint(condition=models.Q(('shares__in', [1, 2, 3])), name='sharing_is_known')],
            },
        ),
    ]

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('promotion', '0007_let_past_gates'),
    ]

    operations = [
        migrations.AddField(
            model_name='lock',
            name='ends_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='promotion',
            name='action_done_at',
            field=models.DateTimeField(blank=True, help_text='empty = open', null=True),
        ),
        migrations.AddField(
            model_name='promotion',
            name='action_done_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='promotion',
            name='action_url',
            field=models.URLField(blank=True, max_length=1000),
        ),
        migrations.AddField(
            model_name='promotion',
            name='cause_told_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='promotion',
            name='cause_told_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='promotion',
            name='glass_broken_at',
            field=models.DateTimeField(blank=True, help_text='when somebody first broke the glass for it', null=True),
        ),
        migrations.AddField(
            model_name='promotion',
            name='stop_then',
            field=models.CharField(blank=True, choices=[('leave', 'Leave it as it is'), ('roll back', 'Roll back')], help_text='what the person chose', max_length=9),
        ),
        migrations.AlterField(
            model_name='promotion',
            name='cause',
            field=models.CharField(blank=True, choices=[('change', 'The change itself'), ('configuration', 'Configuration or secrets'), ('data', 'Data or migration'), ('dependency', 'Another service or a supplier'), ('platform', 'Infrastructure or platform'), ('pipeline', 'The pipeline or its tools'), ('check', 'A check was wrong or flaky'), ('process', 'How we work'), ('unknown', 'Not known yet')], help_text='category of a failure', max_length=40),
        ),
        migrations.CreateModel(
            name='BreakGlass',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content_hash', models.CharField(max_length=71)),
                ('reason', models.CharField(max_length=1000)),
                ('incident_url', models.URLField(max_length=1000)),
                ('broken_at', models.DateTimeField()),
                ('passed', models.JSONField(blank=True, default=list, help_text='what it passed when the promotion started: list of {gate, reason}')),
                ('used_at', models.DateTimeField(blank=True, help_text='when the promotion started past its gates by it', null=True)),
                ('review_due_at', models.DateTimeField()),
                ('reviewed_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(blank=True, choices=[('justified', 'Justified'), ('avoidable', 'Justified, and avoidable next time'), ('unjustified', 'Not justified')], max_length=12)),
                ('review_words', models.TextField(blank=True)),
                ('broken_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('promotion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='broken_glasses', to='promotion.promotion')),
                ('reviewed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'broken glasses',
                'permissions': [('break_glass', 'Can break the glass in an emergency')],
            },
        ),
        migrations.AddField(
            model_name='gateresult',
            name='break_glass',
            field=models.ForeignKey(blank=True, help_text='the broken glass that passed it', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='promotion.breakglass'),
        ),
        migrations.CreateModel(
            name='CheckedDigest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('checked_at', models.DateTimeField()),
                ('reason', models.CharField(help_text='what the gate said', max_length=1000)),
                ('artifact', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='byte_check', to='promotion.artifact')),
                ('promotion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='promotion.promotion')),
            ],
        ),
        migrations.AddIndex(
            model_name='breakglass',
            index=models.Index(condition=models.Q(('reviewed_at', None)), fields=['review_due_at'], name='glass_review_due'),
        ),
        migrations.AddConstraint(
            model_name='breakglass',
            constraint=models.UniqueConstraint(fields=('promotion', 'content_hash'), name='glass_broken_once'),
        ),
        migrations.AddConstraint(
            model_name='breakglass',
            constraint=models.CheckConstraint(condition=models.Q(('reviewed_by', None), models.Q(('reviewed_by', models.F('broken_by')), _negated=True), _connector='OR'), name='glass_reviewed_by_another'),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('promotion', '0016_tell_of_assessments'),
    ]

    operations = [
        migrations.AlterField(
            model_name='notification',
            name='kind',
            field=models.CharField(choices=[('waiting', 'Waiting for you'), ('decided', 'Decided'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('stuck', 'Stuck'), ('freeze begins', 'Freeze begins'), ('freeze ends', 'Freeze ends'), ('emergency', 'Emergency'), ('anomaly', 'Unusual'), ('assessment', 'Assessment'), ('summary', 'Summary')], max_length=20),
        ),
        migrations.AlterField(
            model_name='notificationchoice',
            name='kind',
            field=models.CharField(choices=[('waiting', 'Waiting for you'), ('decided', 'Decided'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('stuck', 'Stuck'), ('freeze begins', 'Freeze begins'), ('freeze ends', 'Freeze ends'), ('emergency', 'Emergency'), ('anomaly', 'Unusual'), ('assessment', 'Assessment'), ('summary', 'Summary')], max_length=20),
        ),
        migrations.AlterField(
            model_name='notificationdelivery',
            name='kind',
            field=models.CharField(choices=[('waiting', 'Waiting for you'), ('decided', 'Decided'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('stuck', 'Stuck'), ('freeze begins', 'Freeze begins'), ('freeze ends', 'Freeze ends'), ('emergency', 'Emergency'), ('anomaly', 'Unusual'), ('assessment', 'Assessment'), ('summary', 'Summary')], max_length=20),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('promotion', '0004_ask_registries_and_backfill'),
    ]

    operations = [
        migrations.AlterField(
            model_name='connection',
            name='kind',
            field=models.CharField(choices=[('oci-layout', 'Directory of OCI image layouts'), ('oci-registry', 'OCI registry'), ('git', 'Git repository'), ('http', 'HTTP service'), ('prometheus', 'Prometheus')], max_length=20),
        ),
    ]

from django.db import migrations, models

from dtmodel.models import StampedDateTimeField, StampedIntegerField, StampedTextField, StampedUUIDField


class Migration(migrations.Migration):
    dependencies = [("blog", "0002_mixins")]

    operations = [
        migrations.CreateModel(
            name="LivePost",
            fields=[
                ("id", StampedUUIDField(primary_key=True, serialize=False)),
                ("created_at", StampedDateTimeField()),
                ("updated_at", StampedDateTimeField()),
                ("created_by", StampedTextField(null=True)),
                ("updated_by", StampedTextField(null=True)),
                ("deleted_by", StampedTextField(null=True)),
                ("version", StampedIntegerField()),
                ("slug", StampedTextField(null=True)),
                ("title", models.TextField()),
            ],
            options={"db_table": "live_blog_post", "managed": False},
        ),
        migrations.RunSQL("SELECT dtmodel.create_live_view('blog_post')", "DROP VIEW live_blog_post"),
    ]

from django.db import migrations, models

from dtmodel.models import (
    StampedBooleanField,
    StampedDateTimeField,
    StampedIntegerField,
    StampedTextField,
    StampedUUIDField,
)


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", StampedUUIDField(primary_key=True, serialize=False)),
                ("created_at", StampedDateTimeField()),
                ("updated_at", StampedDateTimeField()),
                ("is_deleted", StampedBooleanField()),
                ("deleted_at", StampedDateTimeField(null=True)),
                ("text", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Like",
            fields=[
                ("id", StampedUUIDField(primary_key=True, serialize=False)),
                ("created_at", StampedDateTimeField()),
                ("updated_at", StampedDateTimeField()),
                ("is_deleted", StampedBooleanField()),
                ("deleted_at", StampedDateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Post",
            fields=[
                ("id", StampedUUIDField(primary_key=True, serialize=False)),
                ("created_at", StampedDateTimeField()),
                ("updated_at", StampedDateTimeField()),
                ("is_deleted", StampedBooleanField()),
                ("deleted_at", StampedDateTimeField(null=True)),
                ("created_by", StampedTextField(null=True)),
                ("updated_by", StampedTextField(null=True)),
                ("deleted_by", StampedTextField(null=True)),
                ("version", StampedIntegerField()),
                ("slug", StampedTextField(null=True)),
                ("title", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="PostTag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", StampedUUIDField(primary_key=True, serialize=False)),
                ("created_at", StampedDateTimeField()),
                ("updated_at", StampedDateTimeField()),
                ("name", models.TextField(unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", StampedUUIDField(primary_key=True, serialize=False)),
                ("created_at", StampedDateTimeField()),
                ("updated_at", StampedDateTimeField()),
                ("is_deleted", StampedBooleanField()),
                ("deleted_at", StampedDateTimeField(null=True)),
                ("settings", models.JSONField(blank=True, null=True)),
                ("name", models.TextField()),
                ("email", models.TextField()),
            ],
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_deleted", False)), fields=("email",), name="uq_blog_user_email"
            ),
        ),
        migrations.AddField(
            model_name="posttag",
            name="post",
            field=models.ForeignKey(on_delete=models.DO_NOTHING, to="blog.post"),
        ),
        migrations.AddField(
            model_name="posttag",
            name="tag",
            field=models.ForeignKey(on_delete=models.DO_NOTHING, to="blog.tag"),
        ),
        migrations.AddField(
            model_name="post",
            name="likes",
            field=models.ManyToManyField(related_name="liked", through="blog.Like", to="blog.User"),
        ),
        migrations.AddField(
            model_name="post",
            name="tags",
            field=models.ManyToManyField(through="blog.PostTag", to="blog.Tag"),
        ),
        migrations.AddField(
            model_name="post",
            name="user",
            field=models.ForeignKey(on_delete=models.DO_NOTHING, related_name="posts", to="blog.user"),
        ),
        migrations.AddField(
            model_name="like",
            name="post",
            field=models.ForeignKey(on_delete=models.DO_NOTHING, to="blog.post"),
        ),
        migrations.AddField(
            model_name="like",
            name="user",
            field=models.ForeignKey(on_delete=models.DO_NOTHING, to="blog.user"),
        ),
        migrations.AddField(
            model_name="comment",
            name="post",
            field=models.ForeignKey(on_delete=models.CASCADE, related_name="comments", to="blog.post"),
        ),
        migrations.AddConstraint(
            model_name="posttag",
            constraint=models.UniqueConstraint(fields=("post", "tag"), name="uq_blog_posttag"),
        ),
        migrations.AddConstraint(
            model_name="like",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_deleted", False)), fields=("user", "post"), name="uq_blog_like"
            ),
        ),
    ]

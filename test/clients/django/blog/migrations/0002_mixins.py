from django.db import migrations

from dtmodel.operations import AddMixin, CascadeInDatabase


class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]

    operations = [
        AddMixin("user", "model"),
        AddMixin("user", "soft_delete", hide=True),
        AddMixin(
            "user",
            "settings",
            valid_settings=["theme", "language"],
            schema={"theme": {"enum": ["light", "dark"], "default": "light"}},
        ),
        AddMixin("tag", "model"),
        AddMixin("post", "model"),
        AddMixin("post", "soft_delete", deleted_by="deleted_by", hide=True),
        AddMixin("post", "audit"),
        AddMixin("post", "version"),
        AddMixin("post", "slug", source="title"),
        AddMixin("post", "history"),
        CascadeInDatabase("post", "user"),
        CascadeInDatabase("posttag", "post"),
        CascadeInDatabase("posttag", "tag"),
        AddMixin("like", "model"),
        AddMixin("like", "soft_delete", hide=True),
        CascadeInDatabase("like", "user"),
        CascadeInDatabase("like", "post"),
        AddMixin("comment", "model"),
        AddMixin("comment", "soft_delete", hide=True),
    ]

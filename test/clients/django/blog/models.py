"""The models of the application."""

from django.db import models
from django.db.models import Q

from dtmodel.models import Audit, ModelBase, Settings, Slug, SoftDelete, Version


class User(SoftDelete, Settings, ModelBase):
    name = models.TextField()
    email = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["email"], condition=Q(is_deleted=False), name="uq_blog_user_email")]


class Tag(ModelBase):
    name = models.TextField(unique=True)


class Post(SoftDelete, Audit, Version, Slug, ModelBase):
    user = models.ForeignKey(User, models.DO_NOTHING, related_name="posts")
    title = models.TextField()
    tags = models.ManyToManyField(Tag, through="PostTag")
    likes = models.ManyToManyField(User, through="Like", related_name="liked")


class PostTag(models.Model):
    """Rows that stay while their post is deleted softly."""

    post = models.ForeignKey(Post, models.DO_NOTHING)
    tag = models.ForeignKey(Tag, models.DO_NOTHING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "tag"], name="uq_blog_posttag")]


class Like(SoftDelete, ModelBase):
    """An association that keeps its deleted rows."""

    user = models.ForeignKey(User, models.DO_NOTHING)
    post = models.ForeignKey(Post, models.DO_NOTHING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "post"], condition=Q(is_deleted=False), name="uq_blog_like")]


class Comment(SoftDelete, ModelBase):
    """Deleted by Django, which loads them for it."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    text = models.TextField()


class LivePost(Audit, Version, Slug, ModelBase):
    """A view of the live rows."""

    user = models.ForeignKey(User, models.DO_NOTHING, related_name="live_posts")
    title = models.TextField()

    class Meta:
        managed = False
        db_table = "live_blog_post"

"""The models of the application."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import declarative_base, relationship

from dtmodel import Audit, ModelBase, Settings, Slug, SoftDelete, Version

Base = declarative_base()


class User(SoftDelete, Settings, ModelBase, Base):
    __tablename__ = "users"
    __dtmodel__ = {
        "soft_delete": {"hide": True},
        "settings": {
            "valid_settings": ["theme", "language"],
            "schema": {"theme": {"enum": ["light", "dark"], "default": "light"}},
        },
    }
    __table_args__ = (Index("uq_users_email", "email", unique=True, postgresql_where=text("NOT is_deleted")),)

    name = Column(Text, nullable=False)
    email = Column(Text, nullable=False)
    posts = relationship("Post", back_populates="user", cascade="all, delete-orphan", passive_deletes=True)
    liked = relationship("Post", secondary="likes")


post_tags = Table(
    "post_tags",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
)


class Post(SoftDelete, Audit, Version, Slug, ModelBase, Base):
    __tablename__ = "posts"
    __dtmodel__ = {"soft_delete": {"hide": True}, "slug": {"source": "title"}, "history": {}}

    user_id = Column(UUID(as_uuid=True), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)
    title = Column(Text, nullable=False)
    user = relationship("User", back_populates="posts")
    comments = relationship("Comment", back_populates="post", cascade="all, delete-orphan")
    tags = relationship("Tag", secondary=post_tags, passive_deletes=True)


class Comment(SoftDelete, ModelBase, Base):
    """Deleted by the ORM, which loads them for it."""

    __tablename__ = "comments"
    __dtmodel__ = {"soft_delete": {"hide": True}}

    post_id = Column(UUID(as_uuid=True), ForeignKey("posts.id"), nullable=False, index=True)
    text = Column(Text, nullable=False)
    post = relationship("Post", back_populates="comments")


class Like(SoftDelete, ModelBase, Base):
    """An association that keeps its deleted rows: with a key of its own, and unique among the live ones."""

    __tablename__ = "likes"
    __dtmodel__ = {"soft_delete": {"hide": True}}
    __table_args__ = (
        Index("uq_likes_user_id_post_id", "user_id", "post_id", unique=True, postgresql_where=text("NOT is_deleted")),
    )

    user_id = Column(UUID(as_uuid=True), ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
    post_id = Column(UUID(as_uuid=True), ForeignKey("posts.id", ondelete="CASCADE"), nullable=False, index=True)


class Tag(ModelBase, Base):
    __tablename__ = "tags"

    name = Column(Text, nullable=False, unique=True)


LiveBase = declarative_base()


class LivePost(Audit, Version, Slug, SoftDelete, ModelBase, LiveBase):
    """A view of the live rows, in metadata that Alembic does not compare."""

    __tablename__ = "live_posts"

    user_id = Column(UUID(as_uuid=True), nullable=False)
    title = Column(Text, nullable=False)

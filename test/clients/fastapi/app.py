"""The users of an application over HTTP, and what they post."""

import json
from typing import Optional
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Extra
from sqlalchemy import Column, ForeignKey, Index, Text, create_engine, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, declarative_base, sessionmaker

import dtmodel

# --- Models

Base = declarative_base()


class Model(dtmodel.ModelBase):
    """What an endpoint needs of a model. All of it runs in the database."""

    def to_dict(self, session, excludes=()):
        table = self.__tablename__
        sql = text(f"SELECT dtmodel.to_dict(r, excludes => :excludes) FROM dtmodel.get_by_id(NULL::{table}, :id) AS r")
        return session.execute(sql, {"excludes": list(excludes), "id": self.id}).scalar()

    @classmethod
    def count(cls, session):
        return session.execute(text(f"SELECT dtmodel.count(NULL::{cls.__tablename__})")).scalar()


class User(dtmodel.SoftDelete, dtmodel.Settings, Model, Base):
    __tablename__ = "users"
    __dtmodel__ = {
        "settings": {
            "valid_settings": ["theme", "language", "notifications"],
            "schema": {"theme": {"enum": ["light", "dark"], "default": "light"}, "notifications": {"type": "boolean"}},
        }
    }
    __table_args__ = (Index("uq_users_email", "email", unique=True, postgresql_where=text("NOT is_deleted")),)

    name = Column(Text, nullable=False)
    email = Column(Text, nullable=False)
    password = Column(Text)


class Post(dtmodel.SoftDelete, dtmodel.Audit, dtmodel.Version, dtmodel.Slug, Model, Base):
    __tablename__ = "posts"
    __dtmodel__ = {"slug": {"source": "title"}}

    user_id = Column(postgresql.UUID(as_uuid=True), ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True)
    title = Column(Text, nullable=False)


# --- Sessions

engine = create_engine("postgresql+psycopg2://", future=True)
Application = sessionmaker(engine, future=True)
dtmodel.act_as(Application, lambda session: session.info.get("user"))


def get_session(x_user: Optional[str] = Header(None)):
    with Application(info={"user": x_user}) as session:
        yield session


# --- Endpoints


class Fields(BaseModel, extra=Extra.allow):
    """Columns, and settings beside them. The database says which there are."""


class UserCreate(Fields):
    name: str
    email: str


app = FastAPI()

STATUS = {"23505": 409, "23503": 409, "40001": 412, "23514": 422, "22023": 422, "22P02": 422}


@app.exception_handler(DBAPIError)
def refused(request: Request, error: DBAPIError):
    status = STATUS.get(error.orig.diag.sqlstate, 500)
    return JSONResponse({"detail": error.orig.diag.message_primary, "code": error.orig.diag.sqlstate}, status)


def found(instance, deleted=False):
    if instance is None or instance.is_deleted and not deleted:
        raise HTTPException(404, "not found")
    return instance


def by_id(session, model, id, **options):
    return found(dtmodel.call(session, model, "get_by_id", id).first(), **options)


def answer(session, instance):
    """The instance as JSON, committed."""
    result = instance.to_dict(session, excludes={User: ["password"]}.get(type(instance), ()))
    session.commit()
    return result


@app.post("/users", status_code=201)
def create_user(data: UserCreate, session: Session = Depends(get_session)):
    return answer(session, dtmodel.call(session, User, "create", data.dict()).one())


@app.put("/users/by-email/{email}")
def get_or_create_user(email: str, data: Fields, session: Session = Depends(get_session)):
    user, created = dtmodel.get_or_create(session, User, {"email": email}, data.dict())
    return {"user": answer(session, user), "created": created}


@app.put("/users")
def upsert_user(data: UserCreate, session: Session = Depends(get_session)):
    sql = text("SELECT (u.instance).id FROM dtmodel.upsert(NULL::users, :data, '{email}') AS u")
    id = session.execute(sql, {"data": json.dumps(data.dict())}).scalar()
    return answer(session, by_id(session, User, id))


@app.get("/users")
def list_users(limit: int = 100, offset: int = 0, session: Session = Depends(get_session)):
    users = dtmodel.call(session, User, "get_all", limit, offset).all()
    return {"users": [user.to_dict(session, ["password"]) for user in users], "total": User.count(session)}


@app.get("/users/{id}")
def get_user(id: UUID, session: Session = Depends(get_session)):
    return answer(session, by_id(session, User, id))


@app.patch("/users/{id}")
def update_user(id: UUID, data: Fields, session: Session = Depends(get_session)):
    by_id(session, User, id)
    return answer(session, dtmodel.call(session, User, "update", id, data.dict(exclude_unset=True), strict=True).one())


@app.delete("/users/{id}", status_code=204)
def delete_user(id: UUID, session: Session = Depends(get_session)):
    by_id(session, User, id)
    dtmodel.call(session, User, "delete", id).one()
    session.commit()


@app.post("/users/{id}/restore")
def restore_user(id: UUID, session: Session = Depends(get_session)):
    by_id(session, User, id, deleted=True)
    return answer(session, dtmodel.call(session, User, "restore", id).one())


@app.post("/users/{id}/posts", status_code=201)
def create_posts(id: UUID, data: list[Fields], session: Session = Depends(get_session)):
    by_id(session, User, id)
    posts = dtmodel.call(session, Post, "bulk_create", [{**post.dict(), "user_id": id} for post in data]).all()
    result = [post.to_dict(session) for post in posts]
    session.commit()
    return result


@app.get("/posts/{id}")
def get_post(id: UUID, session: Session = Depends(get_session)):
    return answer(session, by_id(session, Post, id))


@app.patch("/posts/{id}")
def update_post(id: UUID, data: Fields, if_match: int = Header(), session: Session = Depends(get_session)):
    """The version that the client has read comes in If-Match."""
    by_id(session, Post, id)
    return answer(session, dtmodel.call(session, Post, "update", id, {**data.dict(), "version": if_match}).one())


@app.post("/posts/{id}/restore")
def restore_post(id: UUID, session: Session = Depends(get_session)):
    by_id(session, Post, id, deleted=True)
    return answer(session, dtmodel.call(session, Post, "restore", id).one())

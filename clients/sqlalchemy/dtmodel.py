"""Models of dtmodel for SQLAlchemy 1.4 and 2.0.

    class User(SoftDelete, Settings, ModelBase, Base):
        __tablename__ = "users"
        __dtmodel__ = {"settings": {"valid_settings": ["theme", "language"]}}

The classes map the columns of the templates as written by the server, so that a
flush fetches them. __dtmodel__ has the arguments of add_<mixin> where it needs
any; create_all() makes these calls, and dtmodel_alembic.py puts them into
migrations.
"""

import json
from uuid import UUID

from sqlalchemy import DDL, Boolean, Column, DateTime, FetchedValue, Integer, Table, Text, event, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import declarative_mixin, declared_attr, with_loader_criteria


def _stamped(type_, default=FetchedValue(), **arguments):
    """A column that triggers write, so that it comes back from each write."""
    return Column(type_, server_default=default, server_onupdate=FetchedValue(), **arguments)


@declarative_mixin
class ModelBase:
    """The last of these classes, before the declarative base."""

    __dtmodel__ = {}

    id = Column(postgresql.UUID(as_uuid=True), primary_key=True, server_default=text("dtmodel.uuidv7()"))
    created_at = _stamped(DateTime(timezone=True), text("now()"), nullable=False)
    updated_at = _stamped(DateTime(timezone=True), text("now()"), nullable=False)

    @declared_attr
    def __mapper_args__(cls):
        arguments = {"eager_defaults": True}
        if issubclass(cls, Version) and not hasattr(cls, "__mapper__"):  # a class that inherits has it already
            arguments.update(version_id_col=cls.version, version_id_generator=False)
        return arguments


@declarative_mixin
class SoftDelete:
    is_deleted = Column(Boolean, nullable=False, server_default=text("false"))
    deleted_at = _stamped(DateTime(timezone=True))

    def soft_delete(self):
        """What session.delete() is where dtmodel is preloaded. This is an UPDATE, which counts everywhere."""
        self.is_deleted = True


@declarative_mixin
class Audit:
    created_by = _stamped(Text)
    updated_by = _stamped(Text)
    deleted_by = _stamped(Text)


@declarative_mixin
class Version:
    version = _stamped(Integer, text("1"), nullable=False)


@declarative_mixin
class Slug:
    slug = _stamped(Text)


@declarative_mixin
class Settings:
    settings = Column(postgresql.JSONB(none_as_null=True))


_MIXINS = {"soft_delete": SoftDelete, "audit": Audit, "version": Version, "settings": Settings, "slug": Slug}


@event.listens_for(ModelBase, "instrument_class", propagate=True)
def _note_mixins(mapper, cls):
    if mapper.inherits:
        return  # its rows are those of another class
    mixins = {"model": {}, **{name: {} for name, mixin in _MIXINS.items() if issubclass(cls, mixin)}}
    if issubclass(cls, SoftDelete) and issubclass(cls, Audit):
        mixins["soft_delete"] = {"deleted_by": "deleted_by"}
    for name, options in cls.__dtmodel__.items():
        mixins[name] = {**mixins.get(name, {}), **options}
    mapper.local_table.info["dtmodel"] = mixins


# --- Models in the database


def _literal(value):
    if value is None or isinstance(value, (bool, int)):
        return {None: "NULL", True: "true", False: "false"}.get(value, str(value))
    if isinstance(value, (list, tuple)):
        return "ARRAY[%s]::text[]" % ", ".join(_literal(element) for element in value)
    return "'%s'" % (json.dumps(value) if isinstance(value, dict) else value).replace("'", "''")


def mixin_call(verb, mixin, table, table_schema=None, **options):
    """The call of add_<mixin> or remove_<mixin> for a table, as SQL."""
    quote = postgresql.dialect().identifier_preparer.quote
    name = ".".join(quote(part) for part in (table_schema, table) if part)
    arguments = [_literal(name)] + ["%s => %s" % (quote(key), _literal(value)) for key, value in options.items()]
    return "SELECT dtmodel.%s_%s(%s)" % (verb, mixin, ", ".join(arguments))


@event.listens_for(Table, "after_create")
def _add_mixins(table, connection, **_):
    for mixin, options in table.info.get("dtmodel", {}).items():
        connection.execute(DDL(mixin_call("add", mixin, table.name, table.schema, **options).replace("%", "%%")))


# --- Sessions


def _bindable(value):
    is_json = isinstance(value, dict) or isinstance(value, list) and any(isinstance(element, dict) for element in value)
    return json.dumps(value, default=str) if is_json else value


def _parameter(name, value):
    """What asyncpg has to know, since a key can be of any type."""
    type_ = "uuid" if isinstance(value, UUID) else "bigint" if type(value) is int else None
    return "CAST(:%s AS %s)" % (name, type_) if type_ else ":" + name


def _arguments(values, named):
    """Arguments of a function, as SQL and as its parameters."""
    values = {"p%d" % number: value for number, value in enumerate(values)}
    sql = [", " + _parameter(name, value) for name, value in values.items()]
    sql += [", %s => %s" % (name, _parameter(name, value)) for name, value in named.items()]
    return "".join(sql), {name: _bindable(value) for name, value in {**values, **named}.items()}


def _model(session, model):
    return "NULL::" + session.connection().dialect.identifier_preparer.format_table(model.__table__)


def call(session, model, function, *values, **named):
    """The instances that a function returns: call(session, User, "restore", id)."""
    sql, parameters = _arguments(values, named)
    rows = text("SELECT * FROM dtmodel.%s(%s%s)" % (function, _model(session, model), sql))
    query = select(model).from_statement(rows).execution_options(populate_existing=True)
    return session.execute(query, parameters).scalars()


def get_or_create(session, model, criteria, defaults=None, **named):
    """An instance, and whether it is new."""
    sql, parameters = _arguments([criteria, defaults or {}], named)
    columns, created = list(model.__table__.c), Column("created_", Boolean)
    quote = session.connection().dialect.identifier_preparer.quote
    fields = "".join("(r.instance).%s, " % quote(column.name) for column in columns)
    rows = "SELECT %s r.created FROM dtmodel.get_or_create(%s%s) AS r" % (fields, _model(session, model), sql)
    query = select(model, created).from_statement(text(rows).columns(*columns, created))
    return tuple(session.execute(query.execution_options(populate_existing=True), parameters).one())


def act_as(session_class, actor):
    """Begins each transaction of these sessions with set_actor(actor(session))."""

    @event.listens_for(session_class, "after_begin")
    def after_begin(session, transaction, connection):
        connection.execute(text("SELECT dtmodel.set_actor(:actor)"), {"actor": actor(session)})


def hide_deleted(session_class):
    """Has the ORM leave deleted rows out, in joins and loaders too, where hide => true does not (without preloading).

    execution_options(with_deleted=True) shows them."""

    @event.listens_for(session_class, "do_orm_execute")
    def do_orm_execute(state):
        if state.is_select and not state.is_column_load and not state.execution_options.get("with_deleted"):
            live = with_loader_criteria(SoftDelete, lambda cls: ~cls.is_deleted, include_aliases=True)
            state.statement = state.statement.options(live)

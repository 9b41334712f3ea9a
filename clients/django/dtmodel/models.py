"""Abstract models of dtmodel for Django.

    class User(SoftDelete, Settings, ModelBase):
        name = models.TextField()

The operation AddMixin of a migration makes the table a model in the database.
"""

import json

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connections, models, transaction
from django.db.models.expressions import Expression
from django.db.models.sql import UpdateQuery


class StaleObject(DatabaseError):
    """The row of an object that is saved was changed since it was read, or is deleted."""


# --- What the server writes


class _Default(Expression):
    def as_sql(self, compiler, connection):
        return "DEFAULT", []


class Stamped:
    """A field that the server writes: an INSERT leaves it to DEFAULT, an UPDATE leaves it out, and both return it."""

    db_returning = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"editable": False, "blank": True, **kwargs})

    def pre_save(self, instance, add):
        value = getattr(instance, self.attname)
        return _Default() if add and value is None else value


class StampedDateTimeField(Stamped, models.DateTimeField):
    pass


class StampedBooleanField(Stamped, models.BooleanField):
    pass


class StampedIntegerField(Stamped, models.IntegerField):
    pass


class StampedTextField(Stamped, models.TextField):
    pass


class StampedUUIDField(Stamped, models.UUIDField):
    pass


# --- Models


class Rows(models.QuerySet):
    def call(self, function, *arguments, **named):
        """The instances that a function of dtmodel returns: User.objects.call("restore", id)."""
        return self._select("SELECT * FROM dtmodel.%s AS r", function, arguments, named)

    def upsert(self, data, conflict_columns, **named):
        """The instance, and whether it is new."""
        select = "SELECT (r.instance).*, r.created AS created_ FROM dtmodel.%s AS r"
        instance = self._select(select, "upsert", (data, conflict_columns), named)[0]
        return instance, instance.created_

    def _select(self, select, function, arguments, named):
        table = connections[self.db].ops.quote_name(self.model._meta.db_table)
        sql = ", ".join(["NULL::" + table] + ["%s"] * len(arguments) + ["%s => %%s" % name for name in named])
        return self.raw(select % ("%s(%s)" % (function, sql)), [_bindable(value) for value in (*arguments, *named.values())])


class LiveManager(models.Manager.from_queryset(Rows)):
    def get_queryset(self):
        return super().get_queryset().filter(is_deleted=False)


def _bindable(value):
    if isinstance(value, dict) or isinstance(value, list) and any(isinstance(element, dict) for element in value):
        return json.dumps(value, cls=DjangoJSONEncoder)
    return value


class ModelBase(models.Model):
    id = StampedUUIDField(primary_key=True)
    created_at = StampedDateTimeField()
    updated_at = StampedDateTimeField()

    objects = models.Manager.from_queryset(Rows)()

    class Meta:
        abstract = True

    def _do_update(self, base_qs, using, pk_val, values, update_fields, forced_update):
        """An UPDATE that returns what the server writes."""
        rows = base_qs.filter(pk=pk_val)
        if isinstance(self, Version):
            rows = rows.filter(version=self.version)
        stamped = [field for field in self._meta.local_concrete_fields if isinstance(field, Stamped)]
        values = [value for value in values if value[0] not in stamped]
        if not values:
            return rows.exists()
        query = rows.query.chain(UpdateQuery)
        query.add_update_fields(values)
        sql, parameters = query.get_compiler(using).as_sql()
        quote = connections[using].ops.quote_name
        with connections[using].cursor() as cursor:
            cursor.execute("%s RETURNING %s" % (sql, ", ".join(quote(field.column) for field in stamped)), parameters)
            returned = cursor.fetchone()
        if returned is None and not self._state.adding:
            raise StaleObject("%s %s was changed or deleted since it was read" % (self._meta.object_name, pk_val))
        for field, value in zip(stamped, returned or ()):
            setattr(self, field.attname, value)
        return returned is not None


class SoftDelete(models.Model):
    is_deleted = StampedBooleanField()
    deleted_at = StampedDateTimeField(null=True)

    objects = LiveManager()
    all_objects = models.Manager.from_queryset(Rows)()

    class Meta:
        abstract = True

    def soft_delete(self):
        self._call("soft_delete")

    def restore(self):
        self._call("restore")

    def _call(self, function):
        row = type(self).all_objects.using(self._state.db).call(function, self.pk)[0]
        for field in self._meta.concrete_fields:
            setattr(self, field.attname, getattr(row, field.attname))


class Audit(models.Model):
    created_by = StampedTextField(null=True)
    updated_by = StampedTextField(null=True)
    deleted_by = StampedTextField(null=True)

    class Meta:
        abstract = True


class Version(models.Model):
    version = StampedIntegerField()

    class Meta:
        abstract = True


class Slug(models.Model):
    slug = StampedTextField(null=True)

    class Meta:
        abstract = True


class Settings(models.Model):
    settings = models.JSONField(null=True, blank=True)

    class Meta:
        abstract = True


# --- Who acts


class acting_as(transaction.Atomic):
    """A transaction of an actor: with acting_as(request.user.email): ..."""

    def __init__(self, actor, using=None):
        super().__init__(using, savepoint=True, durable=False)
        self.actor = actor

    def __enter__(self):
        super().__enter__()
        with transaction.get_connection(self.using).cursor() as cursor:
            cursor.execute("SELECT dtmodel.set_actor(%s)", [self.actor])

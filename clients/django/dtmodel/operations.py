"""dtmodel in migrations. None of these changes what makemigrations compares."""

import json

from django.db.migrations.operations.base import Operation


class _OnTable(Operation):
    reduces_to_sql = True

    def state_forwards(self, app_label, state):
        pass

    def _table(self, app_label, schema_editor, state):
        """The model, if the migration is for this database."""
        model = state.apps.get_model(app_label, self.model_name)
        return model if self.allow_migrate_model(schema_editor.connection.alias, model) else None


def _literal(value):
    if value is None or isinstance(value, (bool, int)):
        return {None: "NULL", True: "true", False: "false"}.get(value, str(value))
    if isinstance(value, (list, tuple)):
        return "ARRAY[%s]::text[]" % ", ".join(map(_literal, value))
    return "'%s'" % (json.dumps(value) if isinstance(value, dict) else value).replace("'", "''")


class AddMixin(_OnTable):
    """AddMixin("user", "soft_delete", hide=True) calls dtmodel.add_soft_delete."""

    def __init__(self, model_name, mixin, **options):
        self.model_name, self.mixin, self.options = model_name, mixin, options

    def deconstruct(self):
        return type(self).__name__, [self.model_name, self.mixin], self.options

    def describe(self):
        return "%s of %s" % (self.mixin, self.model_name)

    def _call(self, verb, schema_editor, model, **options):
        table = _literal(schema_editor.quote_name(model._meta.db_table))
        options = ["%s => %s" % (schema_editor.quote_name(name), _literal(value)) for name, value in options.items()]
        schema_editor.execute("SELECT dtmodel.%s_%s(%s)" % (verb, self.mixin, ", ".join([table, *options])), params=None)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = self._table(app_label, schema_editor, to_state)
        if model is None:
            return
        self._call("add", schema_editor, model, **self.options)
        if self.mixin == "model" and model._meta.pk.get_internal_type() == "UUIDField":
            names = (schema_editor.quote_name(model._meta.db_table), schema_editor.quote_name(model._meta.pk.column))
            schema_editor.execute("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT dtmodel.uuidv7()" % names, params=None)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        model = self._table(app_label, schema_editor, from_state)
        if model is not None:
            self._call("remove", schema_editor, model)


class CascadeInDatabase(_OnTable):
    """Gives a foreign key that Django has made ON DELETE CASCADE, or takes it away (backwards)."""

    def __init__(self, model_name, field):
        self.model_name, self.field = model_name, field

    def deconstruct(self):
        return type(self).__name__, [self.model_name, self.field], {}

    def describe(self):
        return "ON DELETE CASCADE of %s.%s" % (self.model_name, self.field)

    def _alter(self, app_label, schema_editor, state, action):
        model = self._table(app_label, schema_editor, state)
        if model is None:
            return
        field, quote = model._meta.get_field(self.field), schema_editor.quote_name
        for name in schema_editor._constraint_names(model, [field.column], foreign_key=True):
            schema_editor.execute(
                "ALTER TABLE %s DROP CONSTRAINT %s, ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)%s"
                " DEFERRABLE INITIALLY DEFERRED"
                % (
                    quote(model._meta.db_table),
                    quote(name),
                    quote(name),
                    quote(field.column),
                    quote(field.target_field.model._meta.db_table),
                    quote(field.target_field.column),
                    action,
                ),
                params=None,
            )

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        self._alter(app_label, schema_editor, to_state, " ON DELETE CASCADE")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        self._alter(app_label, schema_editor, from_state, "")

"""dtmodel in the migrations of Alembic: in env.py,

    import dtmodel_alembic
    context.configure(..., **dtmodel_alembic.options(Base.metadata))

A migration then has op.add_mixin("users", "soft_delete", hide=True) and
op.remove_mixin("users", "soft_delete"), and --autogenerate writes them: it
compares the mixins of the classes in dtmodel.py with those of the database.
"""

from alembic.autogenerate import comparators, renderers
from alembic.operations import MigrateOperation, Operations
from sqlalchemy import DDL, FetchedValue, text

from dtmodel import mixin_call

try:  # from Alembic 1.18 on, which else calls ours before its own
    from alembic.util import DispatchPriority

    _after_tables = {"priority": DispatchPriority.LAST}
except ImportError:
    _after_tables = {}


def options(metadata):
    return {"include_name": _include_name(metadata), "render_item": _render_item}


def _render_item(type_, item, context):
    """A value that triggers give is no DEFAULT."""
    return "sa.FetchedValue()" if type_ == "server_default" and type(item) is FetchedValue else False


def _include_name(metadata):
    """Leaves out what dtmodel has made for itself: histories with their partitions, and the indexes of slugs."""
    own = {table.name for table in metadata.tables.values()}
    models = [table for table in metadata.tables.values() if "dtmodel" in table.info]
    histories = tuple(table.name + "_history" for table in models if "history" in table.info["dtmodel"])
    slugs = ["uq_%s_%s" % (table.name, table.info["dtmodel"].get("slug", {}).get("slug", "slug")) for table in models]

    def include(name, type_, parent_names):
        if type_ == "table":
            return name in own or not name.startswith(histories)
        return type_ != "index" or name not in slugs

    return include


class _MixinOperation(MigrateOperation):
    def __init__(self, table, mixin, table_schema=None, **options):
        self.table, self.mixin, self.table_schema, self.options = table, mixin, table_schema, options

    @classmethod
    def _run(cls, operations, table, mixin, table_schema=None, **options):
        return operations.invoke(cls(table, mixin, table_schema, **options))

    def to_diff_tuple(self):
        return self.verb + "_mixin", self.table_schema, self.table, self.mixin


@Operations.register_operation("add_mixin", "_run")
class AddMixin(_MixinOperation):
    verb = "add"

    def reverse(self):
        return RemoveMixin(self.table, self.mixin, self.table_schema)


@Operations.register_operation("remove_mixin", "_run")
class RemoveMixin(_MixinOperation):
    verb = "remove"

    def reverse(self):
        return AddMixin(self.table, self.mixin, self.table_schema)


@Operations.implementation_for(AddMixin)
@Operations.implementation_for(RemoveMixin)
def _execute(operations, operation):
    call = mixin_call(operation.verb, operation.mixin, operation.table, operation.table_schema, **operation.options)
    operations.execute(DDL(call.replace("%", "%%")))


@renderers.dispatch_for(AddMixin)
@renderers.dispatch_for(RemoveMixin)
def _render(context, operation):
    options = dict(operation.options, **({"table_schema": operation.table_schema} if operation.table_schema else {}))
    arguments = [repr(operation.table), repr(operation.mixin)] + ["%s=%r" % item for item in options.items()]
    return "op.%s_mixin(%s)" % (operation.verb, ", ".join(arguments))


@comparators.dispatch_for("schema", **_after_tables)
def _compare(context, upgrade_operations, schemas):
    rows = context.connection.execute(
        text(
            "SELECT n.nspname, c.relname, m.mixins FROM dtmodel.models AS m"
            " JOIN pg_class AS c ON c.oid = m.model JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        )
    )
    there = {
        (schema if schema != context.dialect.default_schema_name else None, table): set(mixins)
        for schema, table, mixins in rows
    }
    for table in context.metadata.sorted_tables:
        wanted = {("timestamps" if name == "model" else name): name for name in table.info.get("dtmodel", {})}
        has = there.get((table.schema, table.name), set())
        for mixin, name in wanted.items():
            if mixin not in has:
                upgrade_operations.ops.append(AddMixin(table.name, name, table.schema, **table.info["dtmodel"][name]))
        for mixin in sorted(has - set(wanted)) if "dtmodel" in table.info else ():
            upgrade_operations.ops.append(RemoveMixin(table.name, mixin, table.schema))

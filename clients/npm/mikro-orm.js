'use strict';

/*
 * The properties of dtmodel's templates, as an EntitySchema of MikroORM declares
 * them:
 *
 *     const { modelBase, softDelete, softDeleteCheck, liveUnique, live } = require('dtmodel/mikro-orm');
 *     new EntitySchema({ name: 'User', tableName: 'users',
 *         properties: { ...modelBase, ...softDelete, email: { type: 'text' } },
 *         checks: [softDeleteCheck('users')], indexes: [liveUnique('users', 'email')], filters: { live } });
 *
 * After an INSERT MikroORM reads what has a defaultRaw, so the columns that the
 * server fills have one; after an UPDATE it reads the version alone.
 */
const stamped = { type: 'datetime', columnType: 'timestamptz', defaultRaw: 'now()' };

module.exports = {
    modelBase: {
        id: { type: 'uuid', primary: true, defaultRaw: 'dtmodel.uuidv7()' },
        createdAt: stamped,
        updatedAt: stamped,
    },
    softDelete: {
        isDeleted: { type: 'boolean', default: false },
        deletedAt: { type: 'datetime', columnType: 'timestamptz', nullable: true },
    },
    audit: {
        createdBy: { type: 'text', nullable: true, defaultRaw: 'null' },
        updatedBy: { type: 'text', nullable: true, defaultRaw: 'null' },
        deletedBy: { type: 'text', nullable: true },
    },
    version: { version: { type: 'integer', version: true, default: 1 } },
    slug: { slug: { type: 'text', nullable: true, defaultRaw: 'null' } },
    settings: { settings: { type: 'json', columnType: 'jsonb', nullable: true } },

    /* A filter that hides deleted rows in both tiers. */
    live: { name: 'live', cond: { isDeleted: false }, default: true },

    /* What add_soft_delete, unique_live and add_slug make. */
    softDeleteCheck: (table) => ({
        name: `ck_${table}_soft_delete`,
        expression: '(is_deleted IS TRUE) = (deleted_at IS NOT NULL)',
    }),
    liveUnique(table, ...columns) {
        const name = `uq_${table}_${columns.join('_')}`;
        return {
            name,
            expression: `CREATE UNIQUE INDEX ${name} ON ${table} (${columns.join(', ')}) WHERE NOT is_deleted`,
        };
    },

    /* Who acts in the transaction of this EntityManager. */
    setActor: (em, name) => em.execute('SELECT dtmodel.set_actor(?)', [name]),
};

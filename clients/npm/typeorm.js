'use strict';

/*
 * The columns of dtmodel's templates, as an EntitySchema of TypeORM declares
 * them:
 *
 *     const { modelBase, softDelete, softDeleteCheck, liveUnique } = require('dtmodel/typeorm');
 *     new EntitySchema({ name: 'User', tableName: 'users',
 *         columns: { ...modelBase, ...softDelete, email: { type: 'text' } },
 *         checks: [softDeleteCheck('users')], indices: [liveUnique('users', 'email')] });
 *
 * What has a default is read after a write; the others have to be reloaded.
 */
const stamped = { type: 'timestamptz', default: () => 'now()' };
const actor = { type: 'text', nullable: true, insert: false, update: false };

module.exports = {
    modelBase: {
        id: { type: 'uuid', primary: true, default: () => 'dtmodel.uuidv7()' },
        created_at: { ...stamped, createDate: true, update: false },
        updated_at: { ...stamped, updateDate: true },
    },

    /* With deleteDate softRemove, softDelete and restore work, and find hides the row. */
    softDelete: {
        is_deleted: { type: 'boolean', default: false, insert: false, update: false },
        deleted_at: { type: 'timestamptz', nullable: true, deleteDate: true },
    },
    audit: { created_by: actor, updated_by: actor, deleted_by: actor },
    version: { version: { type: 'integer', version: true, default: 1 } },
    slug: { slug: { type: 'text', nullable: true } },
    settings: { settings: { type: 'jsonb', nullable: true } },

    /*
     * What add_soft_delete, unique_live and add_slug make. TypeORM would drop a
     * constraint that no entity has; it leaves indexes alone that are declared so.
     */
    softDeleteCheck: (table) => ({
        name: `ck_${table}_soft_delete`,
        expression: '(is_deleted IS TRUE) = (deleted_at IS NOT NULL)',
    }),
    liveUnique: (table, ...columns) => ({
        name: `uq_${table}_${columns.join('_')}`,
        columns,
        unique: true,
        synchronize: false,
    }),

    /* Who acts in the transaction of this EntityManager. */
    setActor: (manager, name) => manager.query('SELECT dtmodel.set_actor($1)', [name]),
};

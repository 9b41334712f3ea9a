'use strict';

/*
 * The columns of dtmodel's templates, as Drizzle declares them:
 *
 *     const { modelBase, softDelete, softDeleteCheck, liveUnique } =
 *         require('dtmodel/drizzle')(require('drizzle-orm'), require('drizzle-orm/pg-core'));
 *     pgTable('users', { ...modelBase(), ...softDelete(), email: text().notNull() },
 *         (users) => [softDeleteCheck('users'), liveUnique('users', users.email)]);
 *
 * In a project of TypeScript, copy this file into it, and set allowJs.
 */

/**
 * @param {typeof import('drizzle-orm')} drizzle
 * @param {typeof import('drizzle-orm/pg-core')} core
 */
module.exports = ({ getTableColumns, sql }, { boolean, check, integer, jsonb, text, timestamp, uniqueIndex, uuid }) => {
    const time = (name) => timestamp(name, { withTimezone: true });
    return {
        modelBase: () => ({
            id: uuid('id')
                .primaryKey()
                .default(sql`dtmodel.uuidv7()`),
            createdAt: time('created_at').notNull().defaultNow(),
            updatedAt: time('updated_at').notNull().defaultNow(),
        }),

        /* The time is that of a deletion, which a Date would cut to milliseconds. */
        softDelete: () => ({
            isDeleted: boolean('is_deleted').notNull().default(false),
            deletedAt: timestamp('deleted_at', { withTimezone: true, mode: 'string' }),
        }),
        audit: (type = text) => ({
            createdBy: type('created_by'),
            updatedBy: type('updated_by'),
            deletedBy: type('deleted_by'),
        }),
        version: () => ({ version: integer('version').notNull().default(1) }),
        slug: () => ({ slug: text('slug') }),
        settings: () => ({ settings: jsonb('settings') }),

        /* What add_soft_delete, unique_live and add_slug make. */
        softDeleteCheck: (table) =>
            check(`ck_${table}_soft_delete`, sql`(is_deleted IS TRUE) = (deleted_at IS NOT NULL)`),
        liveUnique: (table, ...columns) =>
            uniqueIndex(`uq_${table}_${columns.map(({ name }) => name).join('_')}`)
                .on(...columns)
                .where(sql`NOT is_deleted`),

        /* The rows that a function of dtmodel returns, as rows of the table. */
        returned(db, table, call) {
            const columns = Object.entries(getTableColumns(table)).map(([key, column]) => [
                key,
                sql`${column}`.mapWith(column),
            ]);
            return db.select(Object.fromEntries(columns)).from(sql`${call} AS ${table}`);
        },

        /* Who acts in this transaction. */
        setActor: (tx, actor) => tx.execute(sql`SELECT dtmodel.set_actor(${actor})`),
    };
};

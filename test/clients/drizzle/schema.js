'use strict';
/* The tables, as drizzle-kit reads them. */

const drizzle = require('drizzle-orm');
const pg = require('drizzle-orm/pg-core');
const { modelBase, softDelete, audit, version, slug, settings, softDeleteCheck, liveUnique } =
    require('dtmodel/drizzle')(drizzle, pg);

const { relations } = drizzle;
const { index, pgTable, primaryKey, text, uuid } = pg;

const users = pgTable(
    'users',
    {
        ...modelBase(),
        ...softDelete(),
        ...settings(),
        name: text('name').notNull(),
        email: text('email').notNull(),
    },
    (t) => [softDeleteCheck('users'), liveUnique('users', t.email)],
);

const posts = pgTable(
    'posts',
    {
        ...modelBase(),
        ...softDelete(),
        ...audit(),
        ...version(),
        ...slug(),
        userId: uuid('user_id')
            .notNull()
            .references(() => users.id, { onDelete: 'cascade' }),
        title: text('title').notNull(),
    },
    (t) => [softDeleteCheck('posts'), liveUnique('posts', t.slug), index('posts_user_id_idx').on(t.userId)],
);

const tags = pgTable('tags', { ...modelBase(), name: text('name').notNull().unique() });

const postTags = pgTable(
    'post_tags',
    {
        postId: uuid('post_id')
            .notNull()
            .references(() => posts.id, { onDelete: 'cascade' }),
        tagId: uuid('tag_id')
            .notNull()
            .references(() => tags.id, { onDelete: 'cascade' }),
    },
    (t) => [primaryKey({ columns: [t.postId, t.tagId] })],
);

module.exports = {
    users,
    posts,
    tags,
    postTags,
    usersRelations: relations(users, ({ many }) => ({ posts: many(posts) })),
    postsRelations: relations(posts, ({ one, many }) => ({
        user: one(users, { fields: [posts.userId], references: [users.id] }),
        postTags: many(postTags),
    })),
    tagsRelations: relations(tags, ({ many }) => ({ postTags: many(postTags) })),
    postTagsRelations: relations(postTags, ({ one }) => ({
        post: one(posts, { fields: [postTags.postId], references: [posts.id] }),
        tag: one(tags, { fields: [postTags.tagId], references: [tags.id] }),
    })),
};

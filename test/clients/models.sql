/*
 * test/clients/models.sql: the models of the applications that make no schema
 * of their own. Users have settings and posts, posts have tags.
 */

CREATE TABLE users (
    LIKE dtmodel.model_base INCLUDING ALL,
    LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
    LIKE dtmodel.configurable_mixin INCLUDING ALL,
    name text NOT NULL,
    email text NOT NULL
);
SELECT dtmodel.add_model('users');
SELECT dtmodel.add_soft_delete('users');
SELECT dtmodel.add_settings('users', '{theme,language}', schema => '{"theme": {"enum": ["light", "dark"], "default": "light"}}');
SELECT dtmodel.unique_live('users', 'email');

CREATE TABLE posts (
    LIKE dtmodel.model_base INCLUDING ALL,
    LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
    LIKE dtmodel.audit_mixin INCLUDING ALL,
    LIKE dtmodel.version_mixin INCLUDING ALL,
    LIKE dtmodel.slug_mixin INCLUDING ALL,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    title text NOT NULL
);
SELECT dtmodel.add_model('posts');
SELECT dtmodel.add_soft_delete('posts', deleted_by => 'deleted_by');
SELECT dtmodel.add_audit('posts');
SELECT dtmodel.add_version('posts');
SELECT dtmodel.add_slug('posts', 'title');
CREATE INDEX ON posts (user_id);

CREATE TABLE tags (
    LIKE dtmodel.model_base INCLUDING ALL,
    name text NOT NULL UNIQUE
);
SELECT dtmodel.add_model('tags');

CREATE TABLE post_tags (
    post_id uuid REFERENCES posts ON DELETE CASCADE,
    tag_id uuid REFERENCES tags ON DELETE CASCADE,
    PRIMARY KEY (post_id, tag_id)
);

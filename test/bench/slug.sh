# shellcheck shell=bash disable=SC2154 # sourced by run
#
# Slugs: one call, and as they are given to rows. What people use without is
# unaccent and two regular expressions.

by_hand() { echo "trim(BOTH '-' FROM regexp_replace(lower(unaccent($1)), '[^a-z0-9]+', '-', 'g'))"; }

slugs() {
    sql <<'SQL' && calls "$@"
CREATE EXTENSION IF NOT EXISTS unaccent;
SQL
}

# slugify_row TEXT EXPRESSION
slugify_row() {
    compare 3 slugs "slugify(), $1" "dtmodel.slugify($2)" 'unaccent and regexp_replace' - "$(by_hand "$2")"
}

slugify_row 'a title of ASCII' "'The Quick Brown Fox, no. ' || i"
slugify_row 'a title with accents' "'Élève à l''école, n° ' || i"
slugify_row 'a title in Cyrillic (by hand it is lost)' "'Быстрая лиса, № ' || i"

# insert_titles TABLE TITLE
insert_titles() {
    spent sql <<SQL
CREATE TABLE round.$1 (id bigint PRIMARY KEY, title text NOT NULL, slug text);
CREATE UNIQUE INDEX ON round.$1 (slug);
$(slug_trigger "$1")
SELECT bench.start();
INSERT INTO round.$1 (id, title) SELECT i, $2 FROM generate_series(1, :rows / 5) AS i;
SELECT bench.stop();
SELECT bench.expect('slugs', count(DISTINCT slug), :rows / 5) FROM round.$1;
SQL
}

# The look-up that applications make, which fails under concurrency.
slug_trigger() {
    case $1 in
        model) echo "SELECT dtmodel.add_slug('round.$1', 'title');" ;;
        *)     cat <<SQL ;;
CREATE FUNCTION round.set_slug() RETURNS trigger LANGUAGE plpgsql AS \$\$
DECLARE
    base text := $(by_hand NEW.title);
    n int := 1;
BEGIN
    NEW.slug := base;
    WHILE EXISTS (SELECT FROM round.$1 WHERE slug = NEW.slug) LOOP
        n := n + 1;
        NEW.slug := base || '-' || n;
    END LOOP;
    RETURN NEW;
END
\$\$;
CREATE TRIGGER set_slug BEFORE INSERT ON round.$1 FOR EACH ROW EXECUTE FUNCTION round.set_slug();
SQL
    esac
}

compare 3 apart 'INSERT with different titles' "insert_titles model 'Title'||i" \
    'a trigger in plpgsql' - "insert_titles plpgsql 'Title'||i"

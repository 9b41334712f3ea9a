/*
 * test/bench/report.sql: the table of ratios, out of the lines in the table
 * sample, and the data of the charts, in the files :chart and :ratios
 */

CREATE TEMPORARY VIEW result AS
SELECT *,
       concat_ws(', ', CASE WHEN median > goal THEN 'missed' END,
                       CASE WHEN wal > wal_goal THEN 'WAL missed' END) AS missed
FROM (SELECT comparison, area, title, against, goal, wal_goal,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY ours / theirs)::numeric AS median,
             percentile_cont(0.25) WITHIN GROUP (ORDER BY ours / theirs)::numeric AS low,
             percentile_cont(0.75) WITHIN GROUP (ORDER BY ours / theirs)::numeric AS high,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY our_wal / nullif(their_wal, 0))::numeric AS wal,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY ours)::numeric AS cost,
             count(*) AS pairs
      FROM sample
      GROUP BY comparison, area, title, against, goal, wal_goal) AS s;

SELECT title AS "work", against,
       coalesce('<= ' || goal, '') AS goal,
       round(median, 3) AS ratio,
       round(low, 3) || ' .. ' || round(high, 3) AS quartiles,
       coalesce('<= ' || wal_goal, '') AS "WAL goal",
       round(wal, 3) AS "WAL",
       missed AS " ",
       pairs
FROM result
ORDER BY comparison, goal DESC;

\echo The ratio is our cost to theirs: processor time of the backend, or with Citus of all servers, if the work says
\echo nothing else, the median of pairs measured in turns. WAL is the same for its bytes. :rows rows, PostgreSQL :SERVER_VERSION_NAME.

SELECT format('%s of %s goals missed.', count(*) FILTER (WHERE median > goal) + count(*) FILTER (WHERE wal > wal_goal),
              count(goal) + count(wal_goal))
FROM result \g (format=unaligned tuples_only=on)

\o :chart
SELECT row_number() OVER (ORDER BY comparison DESC, goal) AS y,
       format('%s / %s   %s (%s)%s', title, against, round(median, CASE WHEN goal < 0.1 THEN 3 ELSE 2 END), goal,
              CASE WHEN wal > wal_goal THEN format(', WAL %s (%s)', round(wal, 2), wal_goal) END) AS label,
       round(median / goal, 4), round(low / goal, 4), round(high / goal, 4), (missed <> '')::int
FROM result
WHERE goal IS NOT NULL
ORDER BY y \g (format=unaligned tuples_only=on fieldsep='\t')

/*
 * What a newcomer asks first: the ratio in each tier.  A title without a tier
 * is that of a line that has none.
 */
CREATE TEMPORARY VIEW headline(place, label, area, title, against) AS
VALUES (1, 'COPY, timestamps and soft delete', 'insert', 'COPY, timestamps and soft_delete', 'the table alone'),
       (2, 'UPDATE of many rows, timestamps', 'update', 'UPDATE, bulk, HOT, timestamps', 'written by hand'),
       (3, 'UPDATE of many rows, all mixins but slug and history', 'update',
        'UPDATE, bulk, HOT, all mixins but slug and history', 'written by hand'),
       (4, 'UPDATE of one row, timestamps', 'update', 'UPDATE, single row, timestamps', 'written by hand'),
       (5, 'soft DELETE of many rows', 'soft_delete', 'soft DELETE, bulk, index work', 'explicit UPDATE'),
       (6, 'soft DELETE of one row', 'soft_delete', 'soft DELETE, single row', 'explicit UPDATE'),
       (7, 'soft DELETE of a row with many children', 'soft_delete',
        format('cascade, 1 parent, %s children', :rows), 'the same UPDATEs'),
       (8, 'a scan that hides deleted rows', 'soft_delete', 'hidden rows, scan', 'WHERE NOT is_deleted'),
       (9, 'create', 'rows', 'create, one row of 8 columns', 'INSERT ... jsonb_populate_record'),
       (10, 'get_by_id', 'rows', 'get_by_id', 'SELECT * INTO'),
       (11, 'INSERT, with a history', 'history', 'INSERT ... SELECT', 'the table alone'),
       (12, 'UPDATE of one row, with a history', 'history', 'UPDATE, single row', 'SET updated_at = now()'),
       (13, 'UPDATE of many rows, with a history', 'history',
        format('UPDATE, %s rows', :rows), 'SET updated_at = now()'),
       (14, 'a connection, session_preload_libraries', 'sessions', 'connection, session_preload_libraries', 'no library');

CREATE TEMPORARY VIEW headline_ratio AS
SELECT h.place, h.label, substr(r.title, length(h.title) + 3) AS tier, r.median, r.low, r.high
FROM headline AS h
LEFT JOIN result AS r ON r.area = h.area AND r.against = h.against
    AND r.title IN (h.title, h.title || ', preloaded', h.title || ', trigger');

\o :ratios
SELECT -place, label, CASE tier WHEN 'preloaded' THEN 1 WHEN 'trigger' THEN 2 ELSE 3 END, median, low, high
FROM headline_ratio
WHERE median IS NOT NULL
ORDER BY place, tier \g (format=unaligned tuples_only=on fieldsep='\t')
\o

-- A comparison may have got another title. With BENCH_ONLY many are not there.
SELECT 'Not in the chart of ratios: ' || string_agg(label, ', ')
FROM headline_ratio
WHERE median IS NULL AND :whole
HAVING count(*) > 0 \g (format=unaligned tuples_only=on)

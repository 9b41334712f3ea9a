/*
 * test/bench/report.sql: the table of ratios, out of the lines in the table
 * sample, and the data of the chart, in the file :chart
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

\echo The ratio is our cost to theirs: processor time of the backend if the work says nothing else, the median of
\echo pairs measured in turns. WAL is the same for its bytes. :rows rows, PostgreSQL :SERVER_VERSION_NAME.

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

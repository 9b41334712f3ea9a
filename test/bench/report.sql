/* test/bench/report.sql: the table of ratios, out of the lines in :samples */

WITH sample AS (
    SELECT f[1]::int AS comparison, f[2] AS title, f[3] AS against,
           nullif(f[4], '-')::numeric AS goal,
           f[5]::numeric / f[6]::numeric AS ratio
    FROM (SELECT string_to_array(line, E'\t')
          FROM string_to_table(:'samples', E'\n') AS line) AS lines (f)
), result AS (
    SELECT comparison, title, against, goal,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY ratio)::numeric AS median,
           min(ratio) AS least, max(ratio) AS greatest, count(*) AS rounds
    FROM sample
    GROUP BY comparison, title, against, goal
)
SELECT title AS "work", against,
       coalesce('<= ' || goal, '') AS goal,
       round(median, 3) AS ratio,
       CASE WHEN median > goal THEN 'missed' ELSE '' END AS " ",
       round(least, 3) || ' .. ' || round(greatest, 3) AS "min .. max",
       rounds
FROM result
ORDER BY comparison, goal DESC;

\echo The ratio is our cost to theirs, the median of pairs measured side by side in rounds of alternating order; :rows rows, PostgreSQL :SERVER_VERSION_NAME.

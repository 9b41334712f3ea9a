--
-- identifiers: RFC 9562
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;

-- version and variant; no two values are the same
SELECT count(DISTINCT u), bool_and(u::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') AS form
FROM (SELECT dtmodel.uuidv4() AS u FROM generate_series(1, 20000)) AS s;
SELECT count(DISTINCT u), bool_and(u::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') AS form
FROM (SELECT dtmodel.uuidv7() AS u FROM generate_series(1, 20000)) AS s;

-- every random bit is used: over many values each one is 1 and 0
SELECT bool_and(share BETWEEN 0.4 AND 0.6) AS fair, count(*)
FROM (SELECT bit, avg(get_bit(uuid_send(u), bit)) AS share
      FROM (SELECT dtmodel.uuidv4() AS u FROM generate_series(1, 2000)) AS s,
           generate_series(0, 127) AS bit
      WHERE bit NOT IN (52, 53, 54, 55, 70, 71)
      GROUP BY bit) AS bits;
SELECT bool_and(share BETWEEN 0.4 AND 0.6) AS fair, count(*)
FROM (SELECT bit, avg(get_bit(uuid_send(u), bit)) AS share
      FROM (SELECT dtmodel.uuidv7() AS u FROM generate_series(1, 2000)) AS s,
           generate_series(64, 127) AS bit
      WHERE bit NOT IN (70, 71)
      GROUP BY bit) AS bits;

-- version 7 grows within a session, across statements and shifts
SELECT bool_and(u > before) AS grows
FROM (SELECT u, lag(u) OVER (ORDER BY i) AS before
      FROM (SELECT i, dtmodel.uuidv7() AS u FROM generate_series(1, 100000) AS i) AS s) AS t
WHERE before IS NOT NULL;
SELECT dtmodel.uuidv7() AS first \gset
SELECT dtmodel.uuidv7() > :'first' AS grows, dtmodel.uuidv7('1 day') > dtmodel.uuidv7() AS shifted;

-- its time is that of the clock
SELECT dtmodel.uuid_timestamp(dtmodel.uuidv7()) BETWEEN now() - interval '1 minute' AND now() + interval '1 minute' AS now,
       dtmodel.uuid_timestamp(dtmodel.uuidv7('-1 month')) BETWEEN now() - interval '1 month 1 minute' AND now() - interval '1 month' + interval '1 minute' AS month_ago,
       dtmodel.uuid_timestamp(dtmodel.uuidv7('10 years')) BETWEEN now() + interval '10 years' - interval '1 minute' AND now() + interval '10 years 1 minute' AS years_on,
       dtmodel.uuid_timestamp(dtmodel.uuidv7('0')) >= date_trunc('milliseconds', now()) AS unmoved;

-- RFC 9562, appendix A: versions 1, 6 and 7 at 2022-02-22 14:22:22 -05:00; 4, 5 and 8 hold no time
SELECT v, dtmodel.uuid_timestamp(u) AT TIME ZONE 'UTC' AS time
FROM (VALUES (1, 'C232AB00-9414-11EC-B3C8-9F6BDECED846'::uuid),
             (3, '5df41881-3aed-3515-88a7-2f4a814cf09e'),
             (4, '919108f7-52d1-4320-9bac-f847db4148a8'),
             (5, '2ed6657d-e927-568b-95e1-2665a8aea6a2'),
             (6, '1EC9414C-232A-6B00-B3C8-9F6BDECED846'),
             (7, '017F22E2-79B0-7CC3-98C4-DC0C0C07398F'),
             (8, '2489E9AD-2EE2-8E00-8EC9-32D5F69181C0')) AS s (v, u) ORDER BY v;
-- the nil and max UUIDs and other variants hold no time either
SELECT dtmodel.uuid_timestamp('00000000-0000-0000-0000-000000000000') IS NULL AS nil,
       dtmodel.uuid_timestamp('ffffffff-ffff-ffff-ffff-ffffffffffff') IS NULL AS max,
       dtmodel.uuid_timestamp('017f22e2-79b0-7cc3-18c4-dc0c0c07398f') IS NULL AS variant;
-- the first and last times that they hold
SELECT dtmodel.uuid_timestamp('00000000-0000-1000-8000-000000000000') AT TIME ZONE 'UTC' AS first_v1,
       dtmodel.uuid_timestamp('00000000-0000-6000-8000-000000000000') AT TIME ZONE 'UTC' AS first_v6,
       dtmodel.uuid_timestamp('00000000-0000-7000-8000-000000000000') AT TIME ZONE 'UTC' AS first_v7,
       dtmodel.uuid_timestamp('ffffffff-ffff-1fff-8000-000000000000') AT TIME ZONE 'UTC' AS last_v1,
       dtmodel.uuid_timestamp('ffffffff-ffff-7fff-8000-000000000000') AT TIME ZONE 'UTC' AS last_v7;

-- RFC 9562, appendix A.4: the DNS name www.example.com
SELECT dtmodel.uuidv5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com');
SELECT dtmodel.uuidv5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', '') AS empty,
       dtmodel.uuidv5('6ba7b811-9dad-11d1-80b4-00c04fd430c8', 'www.example.com') AS url,
       dtmodel.uuidv5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', repeat('x', 100000)) AS long;

-- NULL
SELECT dtmodel.uuidv5(NULL, 'x') IS NULL AS a, dtmodel.uuidv5(dtmodel.uuidv4(), NULL) IS NULL AS b,
       dtmodel.uuidv7(NULL) IS NULL AS c, dtmodel.uuid_timestamp(NULL) IS NULL AS d;

-- volatility, strictness and parallel safety
SELECT proname, proparallel, provolatile FROM pg_proc
WHERE pronamespace = 'dtmodel'::regnamespace AND proname LIKE 'uuid%' ORDER BY 1, 2, pronargs;

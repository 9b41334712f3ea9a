/* test/bench/round.sql: every round begins like this */

DROP SCHEMA IF EXISTS round CASCADE;
CREATE SCHEMA round;

-- Files of the transaction log are used again, rather than made.
CHECKPOINT;

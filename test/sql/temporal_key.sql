--
-- A primary key WITHOUT OVERLAPS (since PostgreSQL 18): an id means a row
-- with exactly this period, not one that overlaps it
--
SELECT current_setting('server_version_num')::int < 180000 AS skip \gset
\if :skip
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS dtmodel;
CREATE SCHEMA temporal_key;
SET search_path = temporal_key;

-- ranges have the operator class that the key's first column needs, too
CREATE TABLE rooms (id int4range, during int4range, price int, PRIMARY KEY (id, during WITHOUT OVERLAPS));
SELECT dtmodel.add_model('rooms'), dtmodel.add_soft_delete('rooms'), dtmodel.create_live_view('rooms');
RESET client_min_messages;
SELECT dtmodel.describe('rooms') -> 'primary_key' AS key, dtmodel.describe('rooms') -> 'drift' AS drift;

SELECT id, during, price FROM dtmodel.create(NULL::rooms, '{"id": "[1,2)", "during": "[10,20)", "price": 1}');
SELECT id, during, price FROM dtmodel.bulk_create(NULL::rooms, '[{"id": "[1,2)", "during": "[20,30)", "price": 2}, {"id": "[2,3)", "during": "[10,30)", "price": 3}]');
SELECT dtmodel.create(NULL::rooms, '{"id": "[1,2)", "during": "[15,25)"}');
\echo :SQLSTATE

-- an id whose period overlaps rows finds none of them
SELECT price FROM dtmodel.get_by_id(NULL::rooms, '{"id": "[1,2)", "during": "[10,20)"}');
SELECT dtmodel.exists(NULL::rooms, '{"id": "[1,2)", "during": "[10,20)"}'), dtmodel.exists(NULL::rooms, '{"id": "[1,2)", "during": "[10,21)"}');
SELECT dtmodel.get_by_id(NULL::rooms, '{"id": "[0,9)", "during": "[0,99)"}') IS NULL AS get,
       dtmodel.update(NULL::rooms, '{"id": "[0,9)", "during": "[0,99)"}', '{"price": 9}') IS NULL AS update,
       dtmodel.soft_delete(NULL::rooms, '{"id": "[0,9)", "during": "[0,99)"}') IS NULL AS soft_delete,
       dtmodel.delete(NULL::rooms, '{"id": "[0,9)", "during": "[0,99)"}', soft => false) IS NULL AS delete;
SELECT id, during, price, is_deleted FROM rooms ORDER BY id, during;
SELECT dtmodel.get_by_id(NULL::rooms, '{"id": "[1,2)"}');
\echo :SQLSTATE

SELECT price FROM dtmodel.update(NULL::rooms, '{"id": "[1,2)", "during": "[20,30)"}', '{"price": 20, "during": "[20,25)"}');
SELECT id, during, is_deleted FROM dtmodel.soft_delete(NULL::rooms, '{"id": "[1,2)", "during": "[10,20)"}');
SELECT id, during, is_deleted FROM rooms ORDER BY id, during;
SELECT r.id, r.during, r.is_deleted FROM rooms, dtmodel.restore(rooms) AS r WHERE rooms.is_deleted;
SELECT price FROM dtmodel.get_all(NULL::rooms, after_id => '{"id": "[1,2)", "during": "[10,20)"}');
SELECT dtmodel.repr(r), dtmodel.str(r), dtmodel.to_dict(r, includes => '{id,during,price}') FROM rooms AS r ORDER BY id, during;
SELECT (instance).price, created FROM dtmodel.get_or_create(NULL::rooms, '{"id": "[1,2)", "during": "[10,20)"}', '{"price": 4}');
SELECT (instance).price, created FROM dtmodel.get_or_create(NULL::rooms, '{"id": "[1,2)", "during": "[30,40)"}', '{"price": 4}');
SELECT (instance).price, created FROM dtmodel.get_or_create(NULL::rooms, '{"id": "[1,2)", "during": "[35,45)"}', '{"price": 4}');
\echo :SQLSTATE

-- ON CONFLICT DO UPDATE does not support such a key
SELECT dtmodel.upsert(NULL::rooms, '{"id": "[1,2)", "during": "[10,20)", "price": 5}');
\echo :SQLSTATE

DELETE FROM live_rooms WHERE during @> 12 RETURNING id, during;
\echo :ROW_COUNT
CALL dtmodel.purge('rooms', older_than => '0');
SELECT id, during, price, is_deleted FROM rooms ORDER BY id, during;

-- a foreign key with PERIOD has no single parent, and does not cascade
CREATE TABLE bookings (id int PRIMARY KEY, room int4range, during int4range,
                       FOREIGN KEY (room, PERIOD during) REFERENCES rooms (id, PERIOD during));
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('bookings');
RESET client_min_messages;
SELECT dtmodel.require_live_parent('bookings', 'room', 'during');
\echo :SQLSTATE
INSERT INTO bookings VALUES (1, '[1,2)', '[31,32)'), (2, '[1,2)', '[21,22)');
SELECT id, during, is_deleted FROM dtmodel.soft_delete(NULL::rooms, '{"id": "[1,2)", "during": "[30,40)"}');
SELECT id, is_deleted FROM bookings ORDER BY id;
SELECT id, is_deleted FROM dtmodel.soft_delete(NULL::bookings, 1);
SELECT id, is_deleted FROM dtmodel.restore(NULL::bookings, 1);
CALL dtmodel.purge('rooms', older_than => '0');
SELECT id, during, is_deleted FROM rooms ORDER BY id, during;

-- an exclusion constraint replaces such a key where it counts hidden rows
CREATE TABLE prices (item int4range, during int4range, price int, note text,
                     PRIMARY KEY (item, during WITHOUT OVERLAPS) DEFERRABLE INITIALLY DEFERRED,
                     CONSTRAINT one_price UNIQUE (item, during WITHOUT OVERLAPS) INCLUDE (note));
SET client_min_messages = warning;
SELECT dtmodel.add_soft_delete('prices', hide => true);
RESET client_min_messages;
SELECT problem, repair, advice FROM dtmodel.drift('prices') ORDER BY 1 \gx
SELECT dtmodel.unique_live('prices', 'item', 'during');
ALTER TABLE prices DROP CONSTRAINT prices_pkey;
SELECT substring(advice FROM 'ALTER TABLE .*is_deleted\)') FROM dtmodel.drift('prices') \gexec
\d one_price
SELECT problem FROM dtmodel.drift('prices');
INSERT INTO prices VALUES ('[1,2)', '[1,9)', 1);
DELETE FROM prices;
INSERT INTO prices VALUES ('[1,2)', '[5,20)', 2);
INSERT INTO prices VALUES ('[1,2)', '[8,20)', 3);
\echo :SQLSTATE
SET client_min_messages = warning;
CREATE TABLE stays (room int4range, during int4range, PRIMARY KEY (room, during WITHOUT OVERLAPS)) PARTITION BY LIST (room);
SELECT dtmodel.add_soft_delete('stays', hide => true);
SELECT problem, advice FROM dtmodel.drift('stays');

SET client_min_messages = warning;
DROP SCHEMA temporal_key CASCADE;

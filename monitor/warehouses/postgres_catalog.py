"""PostgreSQL's catalog as daywatch asks it: pg_catalog, which knows materialised views and partitions, and is fast."""

from __future__ import annotations

# Tables, partitioned tables, views, materialised views and foreign tables; the leaves of a partitioned table are part
# of it, not tables of their own.
TABLES = """
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
"""

# A column of a domain has the type beneath it.
COLUMNS = """
WITH RECURSIVE asked AS (
  SELECT c.oid, has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE') AS readable
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = :schema AND c.relname = :name AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), typed AS (
  SELECT a.attnum, a.attname, a.attnotnull, a.atttypid AS type, a.atttypmod AS modifier, asked.readable
  FROM asked JOIN pg_catalog.pg_attribute a ON a.attrelid = asked.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT typed.attnum, typed.attname, typed.attnotnull OR t.typnotnull, t.typbasetype, t.typtypmod, typed.readable
  FROM typed JOIN pg_catalog.pg_type t ON t.oid = typed.type WHERE t.typtype = 'd'
)
SELECT typed.attname::text AS name, format_type(typed.type, typed.modifier) AS type, typed.attnotnull AS required,
  typed.readable, t.typtype::text AS sort, t.typcategory::text AS category, t.typname::text AS base
FROM typed JOIN pg_catalog.pg_type t ON t.oid = typed.type
WHERE t.typtype <> 'd' ORDER BY typed.attnum
"""

IDENTITY = """
SELECT c.relkind::text AS kind, c.relhassubclass AS many
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :name
"""

SESSION = """
SELECT current_schema()::text AS schema, current_setting('server_version_num')::integer AS version
"""

# One row a table that was asked for, with the change counters of all that it is made of. The counters are forgotten
# after a crash or a reset, and both leave a new time of reset behind; a replica does not keep them at all. A table that
# somebody has locked whole would keep its size, and all the others, waiting.
STATES = """
WITH RECURSIVE asked(place, schema, name) AS (VALUES {asked}), root AS (
  SELECT asked.place, c.oid, c.relkind
  FROM asked JOIN pg_catalog.pg_namespace n ON n.nspname = asked.schema
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = asked.name
), part AS (
  SELECT place, oid FROM root
  UNION
  SELECT part.place, i.inhrelid FROM part JOIN pg_catalog.pg_inherits i ON i.inhparent = part.oid
), locked AS (
  SELECT DISTINCT relation FROM pg_catalog.pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL
), leaf AS (
  SELECT part.place, c.oid, c.relkind, c.relfilenode,
    CASE WHEN c.reltuples >= 0 THEN c.reltuples END AS estimated,
    pg_stat_get_live_tuples(c.oid) AS live,
    pg_stat_get_tuples_inserted(c.oid) AS inserted,
    pg_stat_get_tuples_updated(c.oid) AS updated,
    pg_stat_get_tuples_deleted(c.oid) AS deleted,
    CASE WHEN c.relkind IN ('r', 'm') AND locked.relation IS NULL THEN pg_total_relation_size(c.oid) END AS bytes,
    locked.relation IS NOT NULL AS busy
  FROM part JOIN pg_catalog.pg_class c ON c.oid = part.oid LEFT JOIN locked ON locked.relation = c.oid
  WHERE c.relkind <> 'p'
)
SELECT root.place,
  sum(CASE WHEN inserted + updated + deleted > 0 OR estimated IS NULL THEN live ELSE estimated END)::bigint AS rows,
  CASE WHEN NOT bool_or(coalesce(busy, false)) THEN sum(bytes)::bigint END AS bytes,
  CASE WHEN bool_and(leaf.relkind IN ('r', 'm')) AND NOT pg_is_in_recovery()
      AND current_setting('track_counts')::boolean
    THEN md5(string_agg(concat_ws(':', leaf.oid, relfilenode, inserted, updated, deleted), ',' ORDER BY leaf.oid)
      || '/' || root.oid || '/' || reset.at) END AS mark
FROM root
JOIN leaf ON leaf.place = root.place
CROSS JOIN (
  SELECT concat_ws('/',
    (SELECT stats_reset FROM pg_catalog.pg_stat_database WHERE datname = current_database()),
    (SELECT stats_reset FROM pg_catalog.pg_stat_bgwriter), pg_postmaster_start_time()) AS at
) reset
GROUP BY root.place, root.oid, reset.at
"""

UNIQUE = """
SELECT string_agg(a.attname, E'\\t' ORDER BY a.attnum) AS names
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
WHERE n.nspname = :schema AND c.relname = :name
  AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
GROUP BY i.indexrelid, i.indnkeyatts
HAVING bool_and(a.attnotnull) AND count(*) = i.indnkeyatts
"""

FOREIGN = """
SELECT string_agg(mine.attname, E'\\t' ORDER BY pair.place) AS names,
  other_schema.nspname::text AS schema, other.relname::text AS table,
  string_agg(theirs.attname, E'\\t' ORDER BY pair.place) AS referred
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class other ON other.oid = k.confrelid
JOIN pg_catalog.pg_namespace other_schema ON other_schema.oid = other.relnamespace
CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair(mine, theirs, place)
JOIN pg_catalog.pg_attribute mine ON mine.attrelid = c.oid AND mine.attnum = pair.mine
JOIN pg_catalog.pg_attribute theirs ON theirs.attrelid = other.oid AND theirs.attnum = pair.theirs
WHERE n.nspname = :schema AND c.relname = :name AND k.contype = 'f' AND NOT other.relispartition
GROUP BY k.oid, other_schema.nspname, other.relname
ORDER BY names
"""

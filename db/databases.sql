-- describe_database
-- What the server is, how large the database has become, and how much of its connections is used.
SELECT current_setting('server_version') AS version,
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
    current_setting('timescaledb.license', true) AS license,
    (SELECT version_num FROM alembic_version) AS migration,
    pg_database_size(current_database()) AS size_bytes,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
    current_setting('max_connections')::int AS connections_max;

-- list_clients
-- Processes of ours that are connected, by the name they give themselves.
SELECT substring(application_name FROM 11) AS name, count(*) AS connections,
    min(backend_start) AS since
FROM pg_stat_activity
WHERE datname = current_database()
  AND application_name LIKE 'telemetra-%'
GROUP BY application_name
ORDER BY application_name
LIMIT $1;

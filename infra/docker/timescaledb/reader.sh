#!/bin/sh
# Makes the role that Grafana reads with, when the database is first made. It can write nothing,
# so that whoever may edit a panel cannot drop a table.
set -eu

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=password="$READER_PASSWORD" \
    --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
CREATE ROLE telemetra_reader LOGIN PASSWORD :'password' CONNECTION LIMIT 20;
GRANT pg_read_all_data TO telemetra_reader;
ALTER ROLE telemetra_reader SET default_transaction_read_only = on;
ALTER ROLE telemetra_reader SET statement_timeout = '30s';
SQL

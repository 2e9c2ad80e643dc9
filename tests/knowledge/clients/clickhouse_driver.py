"""ClickHouse's native client says hello with the first query."""

from clickhouse_driver import Client

RECEIVERS = {
    "clickhouse_driver.Client": lambda at: Client(at.host, port=at.port, connect_timeout=3),
}

"""InfluxDB's clients, the new one and the one for version 1."""

import influxdb
import influxdb_client


def client(at):
    return influxdb_client.InfluxDBClient(at.url, token="a", org="b", timeout=3000)


CALLS = {
    "influxdb_client.InfluxDBClient.ping": lambda at: client(at).ping(),
    "influxdb_client.InfluxDBClient.ready": lambda at: client(at).ready(),
    "influxdb_client.QueryApi.query": lambda at: client(at).query_api().query("a"),
    "influxdb.InfluxDBClient.query": lambda at: influxdb.InfluxDBClient(at.host, at.port).query(
        "a"
    ),
    "influxdb.InfluxDBClient.get_list_database": lambda at: influxdb.InfluxDBClient(
        at.host, at.port
    ).get_list_database(),
}

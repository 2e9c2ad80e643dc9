"""Kusto's client asks with each query."""

from azure.kusto.data import KustoClient, KustoConnectionStringBuilder


def client(at):
    made = KustoConnectionStringBuilder.with_no_authentication(at.url)
    return KustoClient(made)


CALLS = {
    "azure.kusto.data.KustoClient.execute": lambda at: client(at).execute("a", "b"),
    "azure.kusto.data.KustoClient.execute_mgmt": lambda at: client(at).execute_mgmt("a", ".show b"),
}

"""Kubernetes' client, for another address."""

from kubernetes import client


def api(at, kind=client.CoreV1Api):
    return kind(client.ApiClient(client.Configuration(host=at.url)))


CALLS = {
    "kubernetes.client.CoreV1Api.list_node": lambda at: api(at).list_node(_request_timeout=3),
    "kubernetes.client.AppsV1Api.list_namespaced_deployment": lambda at: api(
        at, client.AppsV1Api
    ).list_namespaced_deployment("a", _request_timeout=3),
}

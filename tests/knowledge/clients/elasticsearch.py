"""The clients of Elasticsearch and OpenSearch."""

from elasticsearch import Elasticsearch
from opensearchpy import OpenSearch

CALLS = {
    "elasticsearch.Elasticsearch.search": lambda at: Elasticsearch(
        at.url, max_retries=0, request_timeout=3
    ).search(),
    "elasticsearch.Elasticsearch.info": lambda at: Elasticsearch(at.url, request_timeout=3).info(),
    "opensearchpy.OpenSearch.search": lambda at: OpenSearch(
        [{"host": at.host, "port": at.port}], max_retries=0, timeout=3
    ).search(),
    "opensearchpy.OpenSearch.info": lambda at: OpenSearch(
        [{"host": at.host, "port": at.port}], max_retries=0, timeout=3
    ).info(),
}

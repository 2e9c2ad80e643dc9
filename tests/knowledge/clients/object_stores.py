"""Alibaba's and Tencent's stores of objects."""

import oss2
from qcloud_cos import CosConfig, CosS3Client


def bucket(at):
    return oss2.Bucket(oss2.Auth("a", "b"), at.url, "ccc", is_path_style=True, connect_timeout=3)


def cos(at):
    config = CosConfig(
        SecretId="a", SecretKey="b", Endpoint=f"{at.host}:{at.port}", Scheme="http", Timeout=3
    )
    return CosS3Client(config, retry=0)


CALLS = {
    "oss2.Bucket.get_object": lambda at: bucket(at).get_object("a"),
    "oss2.Bucket.put_object": lambda at: bucket(at).put_object("a", b"b"),
    "qcloud_cos.CosS3Client.list_buckets": lambda at: cos(at).list_buckets(),
}

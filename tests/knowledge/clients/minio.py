"""MinIO's client of S3."""

import minio


def client(at):
    return minio.Minio(f"{at.host}:{at.port}", access_key="a", secret_key="b", secure=False)


CALLS = {
    "minio.Minio.list_buckets": lambda at: client(at).list_buckets(),
    "minio.Minio.bucket_exists": lambda at: client(at).bucket_exists(bucket_name="aaa"),
}

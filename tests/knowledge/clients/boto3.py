"""Clients of S3 and others, for a service that speaks HTTP."""

import boto3
from botocore.config import Config

FAST = Config(retries={"max_attempts": 0}, connect_timeout=3, read_timeout=3)
KEYS = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "a",
    "aws_secret_access_key": "b",
    "config": FAST,
}


def client(service):
    return lambda at: boto3.client(service, endpoint_url=at.url, **KEYS)


def resource(at):
    return boto3.resource("s3", endpoint_url=at.url, **KEYS)


CALLS = {
    "botocore.client.BaseClient.get_object": lambda at: client("s3")(at).get_object(
        Bucket="aaa", Key="b"
    ),
    "botocore.client.BaseClient.list_objects_v2": lambda at: client("s3")(at).list_objects_v2(
        Bucket="aaa"
    ),
    "botocore.client.BaseClient.upload_file": lambda at: client("s3")(at).upload_file(
        __file__, "aaa", "b"
    ),
    "botocore.client.BaseClient.send_message": lambda at: client("sqs")(at).send_message(
        QueueUrl=f"{at.url}/1/a", MessageBody="b"
    ),
    "botocore.client.BaseClient.receive_message": lambda at: client("sqs")(at).receive_message(
        QueueUrl=f"{at.url}/1/a"
    ),
    "botocore.client.BaseClient.publish": lambda at: client("sns")(at).publish(
        TopicArn="arn:aws:sns:eu-west-1:1:a", Message="b"
    ),
    "botocore.client.BaseClient.get_item": lambda at: client("dynamodb")(at).get_item(
        TableName="aaa", Key={"a": {"S": "b"}}
    ),
    "botocore.client.BaseClient.invoke": lambda at: client("lambda")(at).invoke(FunctionName="a"),
    "botocore.client.BaseClient.get_secret_value": lambda at: client("secretsmanager")(
        at
    ).get_secret_value(SecretId="a"),
    "boto3.resources.base.ServiceResource.put": lambda at: resource(at).Object("aaa", "b").put(),
    "boto3.resources.base.ServiceResource.load": lambda at: resource(at).Object("aaa", "b").load(),
    "botocore.waiter.Waiter.wait": lambda at: (
        client("s3")(at).get_waiter("bucket_exists").wait(Bucket="aaa")
    ),
}

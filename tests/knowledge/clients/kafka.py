"""Clients of Kafka ask a broker for its version when they are made."""

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

CALLS = {
    "kafka.KafkaProducer": lambda at: KafkaProducer(bootstrap_servers=f"{at.host}:{at.port}"),
    "kafka.KafkaConsumer": lambda at: KafkaConsumer(bootstrap_servers=f"{at.host}:{at.port}"),
    "kafka.KafkaAdminClient": lambda at: KafkaAdminClient(bootstrap_servers=f"{at.host}:{at.port}"),
}

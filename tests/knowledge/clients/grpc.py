"""gRPC: a call over a channel waits for the server, unless it is made as a future."""

import grpc


def call(at):
    return grpc.insecure_channel(f"{at.host}:{at.port}").unary_unary("/a/b")


CALLS = {
    "grpc.UnaryUnaryMultiCallable.__call__": lambda at: call(at)(b"a", timeout=3),
    "grpc.UnaryUnaryMultiCallable.with_call": lambda at: call(at).with_call(b"a", timeout=3),
    "grpc.Future.result": lambda at: call(at).future(b"a").result(3),
}

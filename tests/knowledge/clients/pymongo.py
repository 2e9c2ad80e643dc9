"""PyMongo looks for a server with the first command, and waits for it in a way of its own."""

import pymongo


def client(at, kind=pymongo.MongoClient):
    return kind(at.host, at.port, serverSelectionTimeoutMS=2500, directConnection=True)


RECEIVERS = {
    "pymongo.MongoClient": client,
    "pymongo.synchronous.database.Database": lambda at: client(at)["a"],
    "pymongo.synchronous.collection.Collection": lambda at: client(at)["a"]["b"],
    "pymongo.AsyncMongoClient": lambda at: client(at, pymongo.AsyncMongoClient),
}

"""PyMongo looks for a server with the first command, and waits for it in a way of its own."""

import pymongo


def client(at, kind=pymongo.MongoClient):
    return kind(at.host, at.port, serverSelectionTimeoutMS=2500, directConnection=True)


CALLS = {
    "pymongo.MongoClient.list_database_names": lambda at: client(at).list_database_names(),
    "pymongo.synchronous.database.Database.command": lambda at: client(at)["a"].command("ping"),
    "pymongo.synchronous.collection.Collection.find_one": lambda at: client(at)["a"][
        "b"
    ].find_one(),
    "pymongo.synchronous.collection.Collection.insert_one": lambda at: client(at)["a"][
        "b"
    ].insert_one({}),
    "pymongo.synchronous.collection.Collection.update_one": lambda at: client(at)["a"][
        "b"
    ].update_one({}, {"$set": {"a": 1}}),
    "pymongo.AsyncMongoClient.list_database_names": lambda at: client(
        at, pymongo.AsyncMongoClient
    ).list_database_names(),
}

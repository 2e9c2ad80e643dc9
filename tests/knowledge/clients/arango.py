"""ArangoDB's client asks with each call."""

import arango


def database(at):
    return arango.ArangoClient(at.url, request_timeout=3).db("a", username="b", password="c")


CALLS = {
    "arango.database.Database.collections": lambda at: database(at).collections(),
    "arango.database.Database.version": lambda at: database(at).version(),
}

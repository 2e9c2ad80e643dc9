"""pg8000 logs in when it is made."""

import pg8000.dbapi
import pg8000.native

LOGIN = {"user": "a", "database": "b", "password": "c", "timeout": 3}
CALLS = {
    "pg8000.connect": lambda at: pg8000.dbapi.connect(host=at.host, port=at.port, **LOGIN),
    "pg8000.native.Connection": lambda at: pg8000.native.Connection(
        host=at.host, port=at.port, **LOGIN
    ),
}

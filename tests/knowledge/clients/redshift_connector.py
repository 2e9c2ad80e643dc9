"""Redshift's driver logs in when it is made."""

import redshift_connector

CALLS = {
    "redshift_connector.connect": lambda at: redshift_connector.connect(
        host=at.host, port=at.port, database="a", user="b", password="c", ssl=False, timeout=3
    ),
}

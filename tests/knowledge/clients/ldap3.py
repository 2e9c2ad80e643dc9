"""LDAP: binding opens the connection."""

import ldap3


def connection(at, **options):
    return ldap3.Connection(ldap3.Server(at.host, at.port, connect_timeout=3), **options)


CALLS = {
    "ldap3.Connection.bind": lambda at: connection(at, receive_timeout=3).bind(),
}

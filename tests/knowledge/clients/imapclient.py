"""IMAPClient waits for the greeting when it is made."""

from imapclient import IMAPClient

CALLS = {
    "imapclient.IMAPClient": lambda at: IMAPClient(at.host, at.port, ssl=False, timeout=3),
}

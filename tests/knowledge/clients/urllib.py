"""The standard library's clients of HTTP."""

import http.client
import urllib.request
import xmlrpc.client


def connection(at):
    return http.client.HTTPConnection(at.host, at.port, timeout=3)


def asked(at):
    made = connection(at)
    made.request("GET", "/")
    return made


CALLS = {
    "urllib.request.urlopen": lambda at: urllib.request.urlopen(at.url, timeout=3),
    "urllib.request.urlretrieve": lambda at: urllib.request.urlretrieve(at.url, "a"),
    "urllib.request.OpenerDirector.open": lambda at: urllib.request.build_opener().open(at.url),
    "http.client.HTTPConnection.getresponse": lambda at: asked(at).getresponse(),
    "xmlrpc.client.ServerProxy.a": lambda at: xmlrpc.client.ServerProxy(at.url).a(),
}

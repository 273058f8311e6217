"""The server of `python -m examples.diligence serve`; a deployment takes a WSGI server of its own."""

from __future__ import annotations

from flask import Flask
from werkzeug import serving


class Handler(serving.WSGIRequestHandler):
    """One connection."""

    def version_string(self) -> str:
        """What the header `Server` says: no versions, which help nobody but an intruder."""
        return "diligence"


def make_server(app: Flask, host: str, port: int) -> serving.BaseWSGIServer:
    """A server bound to an address, a thread for each request; port 0 takes any free one."""
    return serving.make_server(host, port, app, threaded=True, request_handler=Handler)

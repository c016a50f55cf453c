# SPDX-License-Identifier: Apache-2.0
"""The client of api.py over HTTP/2: with prior knowledge, or chosen by ALPN under TLS."""
import http.client
import socket

from .api import Api
from .httpwire import Closed, Http2


class Api2(Api):
    def _exchange_once(self, method, target, payload, headers):
        wire = getattr(self._local, "connection", None)
        if wire is None:
            wire = self._local.connection = self._connect()
        try:
            stream = wire.request(target, method, [(k.lower(), v) for k, v in headers.items()], end=payload is None)
            if payload is not None:
                wire.data(stream, payload, end=True)
            got = wire.wait(stream)
        except Closed as e:
            self.close()
            raise http.client.RemoteDisconnected(str(e)) from None
        except BaseException:
            self.close()
            raise
        if wire.goaways or got.reset is not None:
            self.close()
        if got.reset is not None:
            raise http.client.RemoteDisconnected(f"stream reset: {got.reset}")
        return got.status, got.headers, got.body

    def _connect(self):
        sock = socket.create_connection((self.host, self.port), timeout=self.timeout)
        if self._tls is not None:
            self._tls.set_alpn_protocols(["h2"])
            sock = self._tls.wrap_socket(sock, server_hostname=self.host)
            assert sock.selected_alpn_protocol() == "h2"
        return Http2(sock)

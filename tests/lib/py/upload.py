# SPDX-License-Identifier: Apache-2.0
"""Files on their way to ocp-server: multipart/form-data in one piece, or sent bit by bit on a connection that a test may cut."""
import base64
import http.client

from .process import TIMEOUT

BOUNDARY = "----ocp-test-7f3a"
PACKAGES = "/api/v2/software-packages"


def form(data, file_name, part="file"):
    """The body around the file's bytes."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part}"; filename="{file_name}"\r\nContent-Type: application/x-rpm\r\n\r\n'
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def upload(api, data, file_name, path=PACKAGES, part="file", **more):
    """Uploads in one request; the Reply."""
    return api.call("POST", path, form(data, file_name, part), headers={"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, **more)


class Sending:
    """An upload under way: send() as much as the test wants, then finish() or cut(). `chunked`: without saying how long it will be."""

    def __init__(self, api, data, file_name, chunked=False, path=PACKAGES):
        self.body = form(data, file_name)
        self.sent = 0
        self.chunked = chunked
        self.connection = http.client.HTTPConnection(api.host, api.port, timeout=TIMEOUT)
        self.connection.putrequest("POST", path)
        token = base64.b64encode(f"{api.user}:{api.password}".encode()).decode()
        self.connection.putheader("Authorization", f"Basic {token}")
        self.connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        if chunked:
            self.connection.putheader("Transfer-Encoding", "chunked")
        else:
            self.connection.putheader("Content-Length", str(len(self.body)))
        self.connection.endheaders()

    def send(self, n):
        """The next `n` bytes of the body."""
        piece = self.body[self.sent:self.sent + n]
        self.sent += len(piece)
        if piece:
            self.connection.send(b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece)
        return self

    def finish(self):
        """The rest; status and body of the reply."""
        while self.sent < len(self.body):
            self.send(1 << 20)
        if self.chunked:
            self.connection.send(b"0\r\n\r\n")
        response = self.connection.getresponse()
        got = response.status, response.read()
        self.connection.close()
        return got

    def cut(self):
        self.connection.close()

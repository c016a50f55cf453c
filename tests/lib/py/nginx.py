# SPDX-License-Identifier: Apache-2.0
"""A running nginx with the configuration of packaging/nginx, in which the addresses of the example are replaced."""
from .haproxy import example
from .process import Child, Port, is_listening, new_dir, unprivileged, wait_until

MAIN = """daemon off;
master_process off;
pid {directory}/pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/ocp-server.conf;
}}
"""


class Nginx:
    host = "127.0.0.1"

    def __init__(self, replaced, name="nginx"):
        account = unprivileged()
        directory = new_dir(name, account, 0o711)
        self._reserved = Port()
        for file, text in (("nginx.conf", MAIN.format(directory=directory)),
                           ("ocp-server.conf", example("nginx/ocp-server.conf", {**replaced, "listen 8080": f"listen {self.host}:{self.port}"}))):
            (directory / file).write_text(text)
            (directory / file).chmod(0o644)
        self.process = Child(["nginx", "-p", directory, "-c", directory / "nginx.conf"], directory / "log", name="nginx", cwd=directory, account=account)
        wait_until(lambda: is_listening(self.host, self.port), "nginx listens", alive=self.process.check_alive)

    @property
    def port(self):
        return int(self._reserved)

    def close(self):
        self.process.kill()
        self._reserved.release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

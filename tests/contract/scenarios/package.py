# SPDX-License-Identifier: Apache-2.0
"""Software packages: uploaded both ways, listed, downloaded, deleted."""
from lib.py import rpm
from lib.py.upload import PACKAGES, upload

from ..walk import named
from . import scenario


@scenario("software-packages-list", "software-package-create", "software-package-delete", "sys-package-file-get", "file-upload-legacy")
def packages(walk):
    version, release = "4.2.0.0", "100000102023092807.el7"
    files = [rpm.File("/home/admin/oceanbase/bin/observer", b"no observer", 0o755)]
    data = rpm.build("oceanbase-ce", version, release, files=files)
    made = upload(walk.api, data, rpm.file_name("oceanbase-ce", version, release)).data
    assert named(walk.rows("software-packages-list", {"keyword": "oceanbase", "type": "OB_SERVER_INSTALL_PACKAGE"}), "oceanbase-ce")["id"] == made["id"]
    assert walk.call("sys-package-file-get", api=walk.api.anonymous(), fileName=made["fileName"]).ok().body == data
    if walk.has("software-package-get"):
        assert walk.do("software-package-get", id=made["id"])["sha256"] == made["sha256"]
    upload(walk.api, data, made["fileName"]).refused(409, 7512)
    agent = rpm.build("t-oceanbase-ocp-agent", "4.3.5", release, files=files)
    second = upload(walk.api, agent, "agent.rpm", "/api/v2/files/uploadFile", query={"type": "OCP_AGENT_INSTALL_PACKAGE"}).data
    assert second["type"] == "OCP_AGENT_INSTALL_PACKAGE"
    walk.do("software-package-delete", id=second["id"])
    assert [p["id"] for p in walk.api.get(PACKAGES).contents] == [made["id"]]
    walk.effect("software-package-delete")

# SPDX-License-Identifier: Apache-2.0
"""Records that people keep: regions, IDCs, host types, credentials, hosts, unit specifications."""
from ..walk import named
from . import scenario


@scenario("regions-list", "region-create", "region-get", "region-delete")
def regions(walk):
    made = walk.do("region-create", {"name": "passing-region", "description": "goes again"})
    assert walk.do("region-get", regionId=made["id"])["name"] == "passing-region"
    assert named(walk.rows("regions-list"), "passing-region")["id"] == made["id"]
    walk.do("region-delete", regionId=made["id"])
    walk.gone("region-get", regionId=made["id"])
    walk.effect("region-delete")
    assert walk.region["id"]


@scenario("idcs-list", "idc-create", "idc-get", "idc-delete", "region-create")
def idcs(walk):
    made = walk.do("idc-create", {"name": "passing-idc", "description": "goes again", "regionId": walk.region["id"]})
    assert walk.do("idc-get", idcId=made["id"])["regionName"] == walk.region["name"]
    assert named(walk.rows("idcs-list"), "passing-idc")["id"] == made["id"]
    walk.do("idc-delete", idcId=made["id"])
    walk.gone("idc-get", idcId=made["id"])
    walk.effect("idc-delete")


@scenario("host-types-list", "host-type-create", "host-type-get", "host-type-delete")
def host_types(walk):
    made = walk.do("host-type-create", {"name": "passing-type", "description": "goes again"})
    assert walk.do("host-type-get", hostTypeId=made["id"])["name"] == "passing-type"
    assert named(walk.rows("host-types-list"), "passing-type")["id"] == made["id"]
    walk.do("host-type-delete", hostTypeId=made["id"])
    walk.gone("host-type-get", hostTypeId=made["id"])
    walk.effect("host-type-delete")
    assert walk.do("host-type-create", {"name": ""})["id"], "an empty name is the default type"


@scenario("profile-credentials-list", "profile-credential-create")
def credentials(walk):
    made = walk.credential
    assert named(walk.rows("profile-credentials-list", {"targetType": "HOST"}), made["name"])["id"] == made["id"]
    again = walk.call("profile-credential-create", {"targetType": "HOST", "name": made["name"], "sshCredentialProperty":
                      {"type": "PASSWORD", "username": "admin", "passphrase": "Host-1"}})
    again.refused(409)
    if not walk.has("profile-credential-get", "profile-credential-update", "profile-credential-delete"):
        return
    other = walk.do("profile-credential-create", {
        "targetType": "HOST", "name": "passing", "sshCredentialProperty":
        {"type": "PASSWORD", "username": "admin", "passphrase": "Secret-of-passing"}})
    walk.do("profile-credential-update", {"name": "passing-by", "targetType": "HOST", "sshCredentialProperty":
            {"type": "PASSWORD", "username": "root"}}, id=other["id"])
    got = walk.call("profile-credential-get", id=other["id"])
    assert got.data["name"] == "passing-by" and b"Secret-of-passing" not in got.body
    if walk.has("profile-credential-patch"):
        assert walk.do("profile-credential-patch", {"description": "patched"}, id=other["id"])["description"] == "patched"
    walk.do("profile-credential-delete", id=other["id"])
    walk.gone("profile-credential-get", id=other["id"])
    walk.effect("profile-credential-delete")


@scenario("profile-credentials-share", "profile-credential-offers-list", "profile-credential-offer-accept", "profile-credential-offer-ignore",
          "profile-credentials-validate", "profile-credential-create", "iam-user-create", "ob-cluster-take-over")
def shared_credentials(walk):
    """A login of a kernel, tried on it; the friend keeps the first offer and turns the second one down."""
    kernel = walk.kernels[0]
    made = walk.do("profile-credential-create", {
        "targetType": "OB", "name": "kernel", "obJdbcCredentialProperty":
        {"username": "root", "passphrase": kernel.password, "address": kernel.host, "port": kernel.port}})
    [tried] = walk.call("profile-credentials-validate", {"credentialIds": [made["id"]]}).contents
    assert tried["valid"] and len(tried["attempts"]) == 1
    walk.do("iam-user-create", {"username": "box.friend", "password": "Friend-1234", "roles": []})
    friend = walk.api.as_user("box.friend", "Friend-1234")

    def offered():
        walk.do("profile-credentials-share", {"credentialIds": [made["id"]], "usernames": ["box.friend"]})
        [offer] = walk.call("profile-credential-offers-list", api=friend).contents
        assert offer["from"] == walk.api.user
        return offer["id"]
    kept = walk.call("profile-credential-offer-accept", {"name": "from another"}, api=friend, id=offered()).data
    assert kept["name"] == "from another"
    walk.call("profile-credential-offer-ignore", api=friend, id=offered()).ok()
    assert not walk.call("profile-credential-offers-list", api=friend).contents
    walk.effect("profile-credential-offer-ignore")


@scenario("profile-credentials-export", "profile-credentials-import", "profile-credentials-import-pre-check", "profile-credential-create")
def credentials_in_a_file(walk):
    assert walk.credential
    file = walk.call("profile-credentials-export", {"credentialIds": [walk.credential["id"]], "secret": "File-secret-1"}).ok().body
    body = b"".join(b'--cut\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % part
                    for part in ((b"file", file), (b"secret", b"File-secret-1"), (b"duplicates", b"RENAME"))) + b"--cut--\r\n"

    def send(operation):
        return walk.api.call("POST", "/api/v2/profiles/me/credentials/" + operation, body, headers={"Content-Type": "multipart/form-data; boundary=cut"})
    [held] = send("importPreCheck").contents
    assert held["name"] == walk.credential["name"] and held["duplicate"]
    [imported] = send("import").contents
    assert walk.do("profile-credential-get", id=imported["id"])["name"] == imported["name"] != walk.credential["name"]


@scenario("ob-unit-specs-list", "ob-unit-spec-create", "ob-unit-spec-delete")
def unit_specs(walk):
    made = walk.do("ob-unit-spec-create", {"name": "walked", "maxCpuCoreCount": 1.5, "maxMemorySize": 6})
    assert named(walk.rows("ob-unit-specs-list", {"size": 100}), "walked")["id"] == made["id"]
    walk.do("ob-unit-spec-delete", specId=made["id"])
    assert "walked" not in [s["name"] for s in walk.rows("ob-unit-specs-list", {"size": 100})]
    walk.effect("ob-unit-spec-delete")

# SPDX-License-Identifier: Apache-2.0
"""Every page of clusters, tenants and instances: it stands in both languages without serious faults and fits its window; what the
server fails to say is said, and can be asked again."""
import pytest

# address below the cluster, tenant or instance; what it reads that may fail
CLUSTER = [("", "/ob/clusters/*/stats"), ("/topology", "/ob/clusters/*"), ("/zone", "/zones"), ("/server", "/servers"), ("/unit", "/units"),
           ("/tenant", "/tenants?"), ("/parameter", "/parameters"), ("/parameter?view=history", "/parameterHistories"),
           ("/session", "/sessions"), ("/compaction", "/compactions")]
TENANT = [("", "/tenants/*"), ("/database", "/databases"), ("/user", "/users"), ("/role", "/roles"), ("/parameter", "/parameters"),
          ("/parameter?view=history", "/parameterHistories"), ("/session", "/sessions"), ("/compaction", "/compactions")]
INSTANCE = [("", "/tenants/*"), ("/database", "/databases"), ("/user", "/users"), ("/role", "/roles"), ("/parameter", "/parameters"),
            ("/kernel-parameter", "/parameters"), ("/session", "/sessions"), ("/compaction", "/compactions")]
LISTS = [("/", "/ob/clusters", "Overview", "总览"), ("/cluster", "/ob/clusters?", "Clusters", "集群"), ("/tenant", "/ob/tenants", "Tenants", "租户"),
         ("/unit-spec", "/ob/unitSpecs", "Unit specifications", "Unit 规格")]


def names(pages):
    return [p[0] or "overview" for p in pages]


def stands_and_falls(console, say, path, title, reads, picture):
    console.fail(f"/api/v2*{reads}*")
    console.meet(path)
    said = console.alert()
    assert "The disk of this test is full." in said and "feedfacecafebeef" in said
    console.heal()
    console.try_again()
    assert console.title() == title
    assert console.faults() == [] and not console.overflow()
    console.picture(f"{picture}-{console.language}")
    console.resize(1920, 1080)
    assert not console.overflow()
    console.resize(1280, 800)


def picture(what, path):
    return "-".join([what, *path.replace("?view=", "-").strip("/").split("/")]).strip("-")


@pytest.mark.parametrize("path, reads, english, chinese", LISTS, ids=names(LISTS))
def test_lists(console, cluster, instance, say, path, reads, english, chinese):
    stands_and_falls(console, say, path, say(english, chinese), reads, picture("ob", path) if path != "/" else "ob-overview")


@pytest.mark.parametrize("path, reads", CLUSTER, ids=names(CLUSTER))
def test_pages_of_a_cluster(console, cluster, say, path, reads):
    stands_and_falls(console, say, f"/cluster/{cluster.id}{path}", cluster.name, reads, picture("cluster", path or "overview"))


@pytest.mark.parametrize("path, reads", TENANT, ids=names(TENANT))
def test_pages_of_a_tenant(console, cluster, say, path, reads):
    stands_and_falls(console, say, f"/cluster/{cluster.id}/tenant/{cluster.tenant('tenant1')}{path}", "tenant1", reads,
                     picture("tenant", path or "overview"))


@pytest.mark.parametrize("path, reads", INSTANCE, ids=names(INSTANCE))
def test_pages_of_an_instance(console, instance, say, path, reads):
    stands_and_falls(console, say, f"/cluster/{instance.id}{path}", instance.name, reads, picture("instance", path or "overview"))


def test_what_is_no_cluster_is_said(console, cluster, say):
    console.expect_complaint("status of 404")
    console.go("/cluster/999999")
    assert console.title() == say("It does not exist", "对象不存在")
    console.go(f"/cluster/{cluster.id}/tenant/999999")
    assert console.title() == say("It does not exist", "对象不存在")

# The 18 resources for pyinfra.
from os.path import dirname, join

from pyinfra.operations import apt, files, server, systemd

source = join(dirname(dirname(__file__)), "recipes", "resources18", "files")
root = {"user": "root", "group": "root"}

apt.packages(packages=["haproxy", "prometheus-node-exporter", "nginx-light"], no_recommends=True, _sudo=True)
server.user(user="labuser", system=True, ensure_home=False, _sudo=True)
for name in "abc":
    files.directory(path=f"/srv/{name}", mode="750", _sudo=True, **root)
for name in ("f1", "f2", "f3", "f4", "f5", "f6"):
    files.put(src=join(source, name), dest=f"/etc/labtest/{name}", mode="640", _sudo=True, **root)
for number in "12":
    files.link(path=f"/etc/labtest/l{number}", target=f"f{number}", _sudo=True)
for service in ("haproxy", "nginx", "prometheus-node-exporter"):
    systemd.service(service=service, running=True, enabled=True, _sudo=True)

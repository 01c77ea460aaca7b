"""Real services on loopback for the end-to-end tests: MapServer (WFS 2.0 and WMS) behind lighttpd, serving a synthetic town, and the proxy that puts faults
before it. Each is a context manager that ends its processes."""

import os
import pathlib
import random
import shutil
import socket
import subprocess
import time
import urllib.request

from support import BINARY

LAYERS = {  # layer of the GeoPackage -> its geometry, as MapServer calls it
    "batiment": "POLYGON", "construction_surfacique": "POLYGON", "troncon_de_voie_ferree": "LINE", "troncon_de_route": "LINE",
    "surface_hydrographique": "POLYGON", "zone_de_vegetation": "POLYGON", "terrain_de_sport": "POLYGON", "cimetiere": "POLYGON", "ligne_electrique": "LINE",
}
MAPSERV = "/usr/lib/cgi-bin/mapserv"
FAULT_PROXY = pathlib.Path(BINARY).with_name("fault_proxy")


START_SECONDS = 120  # that a server may take to answer, on a busy machine


def free_port():
    """Below those that the system gives to clients: no connection takes it before the server does, nor between a server and the next one."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                continue
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Process:
    """A child process that ends with its `with`."""

    def __init__(self, command, log, **options):
        self._log = open(log, "w")
        self.process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=self._log, text=True, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self._log.close()


class MapServer(Process):
    """WFS and WMS of a town that `tuile synth` made. page: features a request gives at most (MapServer cuts silently). index: a GeoJSON file that is
    served as the layer `metadata`, too."""

    def __init__(self, folder, town, page=5000, index=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/ows"
        self.access_log = self.folder / "access.log"
        server = shutil.which("lighttpd") or "/usr/sbin/lighttpd"
        for program in (server, MAPSERV):
            if not os.access(program, os.X_OK):
                raise RuntimeError(f"{program} is missing; run scripts/setup.sh tests")
        (self.folder / "town.map").write_text(self._map(pathlib.Path(town).resolve(), page, index))
        (self.folder / "mapserver.conf").write_text('CONFIG\n  ENV\n    MS_MAP_PATTERN "."\n  END\nEND\n')
        (self.folder / "lighttpd.conf").write_text(f"""
server.document-root = "{self.folder}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.modules = ("mod_setenv", "mod_alias", "mod_accesslog", "mod_cgi")
accesslog.filename = "{self.access_log}"
alias.url = ("/ows" => "{MAPSERV}", "/tiles" => "{pathlib.Path(town).resolve() / 'tiles'}")
$HTTP["url"] =~ "^/ows" {{
  cgi.assign = ("" => "")
  setenv.add-environment = ("MS_MAPFILE" => "{self.folder}/town.map", "MAPSERVER_CONFIG_FILE" => "{self.folder}/mapserver.conf")
}}
""")
        super().__init__([server, "-D", "-f", self.folder / "lighttpd.conf"], self.folder / "lighttpd.log")
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("lighttpd ended: " + (self.folder / "lighttpd.log").read_text())
            try:
                with urllib.request.urlopen(self.url + "?SERVICE=WFS&VERSION=2.0.0&REQUEST=GetCapabilities", timeout=60) as answer:
                    answer.read()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("MapServer does not answer: " + (self.folder / "lighttpd.log").read_text())

    @staticmethod
    def _map(town, page, index):
        sources = {name: (kind, f"{town}/bdtopo.gpkg") for name, kind in LAYERS.items()}
        if index:
            sources["metadata"] = ("POLYGON", index)
        layers = "".join(f"""
  LAYER
    NAME "{name}" TYPE {kind} STATUS ON TEMPLATE "none"
    CONNECTIONTYPE OGR CONNECTION "{file}" DATA "{name}"
    PROJECTION "init=epsg:2154" END
    METADATA "wfs_title" "{name}" "gml_include_items" "all" "gml_featureid" "cleabs" "wfs_getfeature_formatlist" "geojson" END
  END""" for name, (kind, file) in sources.items())
        layers += "".join(f"""
  LAYER
    NAME "{name}" TYPE RASTER STATUS ON
    DATA "{town}/{file}"
    PROJECTION "init=epsg:2154" END
    METADATA "wms_title" "{name}" END
  END""" for name, file in (("rgb", "ortho_rgb.tif"), ("irc", "ortho_irc.tif")))
        return f"""
MAP
  NAME "town"
  EXTENT 0 6000000 1300000 7200000
  MAXSIZE 6000
  PROJECTION "init=epsg:2154" END
  OUTPUTFORMAT
    NAME "geojson" DRIVER "OGR/GEOJSON" MIMETYPE "application/json"
    FORMATOPTION "STORAGE=memory" FORMATOPTION "FORM=simple" FORMATOPTION "LCO:COORDINATE_PRECISION=15"
  END
  OUTPUTFORMAT
    NAME "geotiff" DRIVER "GDAL/GTiff" MIMETYPE "image/geotiff" IMAGEMODE RGB EXTENSION "tif"
  END
  WEB
    METADATA
      "ows_enable_request" "*"
      "ows_title" "Town, edition V3 2026-06-15"
      "ows_srs" "EPSG:2154"
      "wfs_namespace_prefix" "BDTOPO_V3" "wfs_namespace_uri" "http://BDTOPO_V3"
      "wfs_maxfeatures" "{page}"
      "wms_getmap_formatlist" "geotiff"
    END
  END{layers}
END
"""

    def requests(self, what="GetFeature"):
        """Lines of the access log that ask for `what`."""
        return [line for line in self.access_log.read_text().splitlines() if f"REQUEST={what}" in line]


class FileStore(Process):
    """lighttpd serving a folder. rate: kB/s that each connection gets at most, none for as fast as it goes."""

    def __init__(self, folder, root, rate=None, port=0):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.access_log = self.folder / "access.log"
        server = shutil.which("lighttpd") or "/usr/sbin/lighttpd"
        if not os.access(server, os.X_OK):
            raise RuntimeError(f"{server} is missing; run scripts/setup.sh tests")
        throttle = f"connection.kbytes-per-second = {rate}" if rate else ""
        # A type of their own, or lighttpd names no version (ETag, Last-Modified) of the files.
        (self.folder / "lighttpd.conf").write_text(f"""
server.document-root = "{pathlib.Path(root).resolve()}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.modules = ("mod_accesslog")
accesslog.filename = "{self.access_log}"
accesslog.format = "%m %U %s %b %{{Range}}i"
mimetype.assign = ("" => "application/octet-stream")
server.stat-cache-engine = "disable"
{throttle}
""")
        super().__init__([server, "-D", "-f", self.folder / "lighttpd.conf"], self.folder / "lighttpd.log")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("lighttpd ended: " + (self.folder / "lighttpd.log").read_text())
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("lighttpd does not answer")

    def stop(self):
        """Ends the server; the log is complete then."""
        self.process.terminate()
        self.process.wait(timeout=10)

    def requests(self):
        """(path, status, bytes sent) of each request, in order. lighttpd writes its log when it ends."""
        lines = [line.split(" ") for line in self.access_log.read_text().splitlines()]
        return [(path, int(status), 0 if size == "-" else int(size)) for _, path, status, size, *_ in lines]


class FaultProxy(Process):
    """Stands before a server: a share of its answers goes wrong in the way named, each after `latency` ms. remember: the server is asked once for each
    target, so that what is measured is the latency."""

    def __init__(self, folder, upstream, fault="none", rate=0.2, seed=1, latency=0, port=0, remember=False):
        self.log = pathlib.Path(folder) / "proxy.log"
        command = [FAULT_PROXY, "--upstream", upstream, "--log", self.log, "--seed", seed]
        command += ["--fault", fault, "--rate", rate] if fault != "none" else ["--rate", 0]
        if remember:
            command += ["--remember"]
        if port:
            command += ["--port", port]
        if latency:
            command += ["--latency", latency]
        super().__init__(command, pathlib.Path(folder) / "proxy.err")
        self.port = int(self.process.stdout.readline().split()[-1])
        self.url = f"http://127.0.0.1:{self.port}"

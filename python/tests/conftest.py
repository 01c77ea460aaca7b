"""What the tests of the package share: a synthetic town, the real data where they are, the command line as the oracle."""
import http.server
import os
import pathlib
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_tuile(*arguments, check=True, **options):
    """Runs the command line; its standard output and error are in the result as text."""
    binary = os.environ.get("TUILE_BINARY", str(ROOT / "build/default/bin/tuile"))
    result = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"tuile {' '.join(map(str, arguments))} ended with {result.returncode}:\n{result.stderr}")
    return result


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """A folder with a town of 2 x 2 tiles of 60 m: tiles/*.laz, bdtopo.gpkg and orthophotos. Not to be written to."""
    folder = tmp_path_factory.mktemp("town")
    run_tuile("synth", "-o", folder, "--tiles", "2x2", "--size", "60", "--density", "8", "--seed", "5")
    return folder


@pytest.fixture(scope="session")
def tiles(town):
    """The tiles of the town, sorted."""
    return sorted((town / "tiles").glob("*.laz"))


@pytest.fixture(scope="session")
def data():
    """The folder of real data; the test is skipped where there is none."""
    folder = pathlib.Path(os.environ.get("TUILE_TEST_DATA", ROOT.parent / "shared/data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; TUILE_TEST_DATA names the folder")
    return folder


class SlowServer:
    """Serves files over HTTP by ranges, but answers nobody before let_go()."""

    def __init__(self):
        self._gate = threading.Event()
        gate = self._gate

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                gate.wait(60)
                content = pathlib.Path(self.path).read_bytes()
                first, _, last = self.headers.get("Range", "bytes=0-").partition("=")[2].partition("-")
                begin, end = int(first), min(int(last or len(content) - 1), len(content) - 1)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {begin}-{end}/{len(content)}")
                self.send_header("Content-Length", str(end - begin + 1))
                self.send_header("ETag", '"same"')
                self.end_headers()
                try:
                    self.wfile.write(content[begin:end + 1])
                except OSError:
                    pass  # the other side has gone

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def url(self, path):
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def let_go(self):
        self._gate.set()

    def close(self):
        self.let_go()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def slow_server():
    server = SlowServer()
    yield server
    server.close()

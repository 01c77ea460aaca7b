"""Tiles on a server: the same outputs as from files, resumed and redone as they are, through faults and without a server."""

import json
import os
import pathlib
import time
import unittest

from services import FaultProxy, FileStore, free_port
from support import Folder, process, real_data, tuile

OUTPUTS = (".npz", ".laz")


def outputs(folder):
    return {p.name: p.read_bytes() for p in pathlib.Path(folder).iterdir() if p.suffix in OUTPUTS}


def sidecar(folder, name):
    """A sidecar without what must differ between a file and a URL: where the inputs are."""
    data = json.loads((pathlib.Path(folder) / f"{name}.json").read_text())
    files = [data["input"], *(part["file"] if "file" in part else part for part in data["halo"]["used"])]
    for file in files:
        file["path"] = pathlib.PurePosixPath(file["path"]).name
        file["mtime_ns"] = file["mtime_ns"] // 1_000_000_000
    return data


class Remote(Folder):
    """A town of 3 x 3 LAZ tiles in `tiles`."""

    def setUp(self):
        super().setUp()
        tuile("synth", "-o", self.folder / "town", "--tiles", "3x3", "--size", "60", "--density", "8")
        self.tiles = self.folder / "town" / "tiles"
        self.names = sorted(p.name for p in self.tiles.iterdir())

    def store(self, **options):
        return FileStore(self.folder / "store", self.tiles, **options)

    def urls(self, server):
        return [f"{server.url}/{name}" for name in self.names]

    def assert_same(self, remote, local):
        left, right = outputs(remote), outputs(local)
        self.assertEqual(sorted(left), sorted(right))
        self.assertEqual([name for name in left if left[name] != right[name]], [])

    def test_outputs_are_those_of_the_files(self):
        local, remote = self.folder / "local", self.folder / "remote"
        process(self.tiles, local, "--formats", "npz,laz")
        with self.store() as store:
            (self.folder / "list.txt").write_text("\n".join(self.urls(store)[3:]))
            inputs = [*self.urls(store)[:3], f"@{self.folder / 'list.txt'}"]
            run = process(inputs, remote, "--formats", "npz,laz")
            self.assertEqual(run["tiles"]["done"], 9)
            self.assert_same(remote, local)
            for name in self.names:
                stem = name.removesuffix(".laz")
                here, there = sidecar(remote, stem), sidecar(local, stem)
                self.assertEqual(here["halo"], there["halo"])
                self.assertEqual(here, there)
            tuile("verify", remote)
            again = process(inputs, remote, "--formats", "npz,laz")
            self.assertEqual((again["tiles"]["skipped"], again["tiles"]["done"]), (9, 0))

    def test_each_file_is_fetched_about_once(self):
        with self.store() as store:
            run = process(self.urls(store), self.folder / "out")
            store.stop()
            requests = store.requests()
        size = sum(os.path.getsize(self.tiles / name) for name in self.names)
        self.assertEqual({status for _, status, _ in requests}, {206})
        self.assertEqual(sum(sent for _, _, sent in requests), size)
        self.assertEqual(run["reader"]["decode_amplification"], 1.0)

    def test_a_tile_that_changed_is_done_again_with_its_neighbours(self):
        out = self.folder / "out"
        with self.store() as store:
            process(self.urls(store), out)
            before = outputs(out)
            os.utime(self.tiles / self.names[0], (time.time() + 100, time.time() + 100))
            run = process(self.urls(store), out)
            self.assertEqual((run["tiles"]["done"], run["tiles"]["skipped"]), (4, 5), "a corner of the town and its three neighbours")
            self.assertEqual(outputs(out), before)

    def test_faults_leave_the_same_bytes(self):
        local, remote = self.folder / "local", self.folder / "remote"
        process(self.tiles, local, "--formats", "npz,laz")
        faults = "throttled,error_500,error_502,error_503,reset,truncated,broken_chunks,garbage,empty,html_page,exception_report"
        with self.store() as store, FaultProxy(self.folder, store.url, fault=faults, rate=0.2, seed=3) as proxy:
            run = process([f"{proxy.url}/{name}" for name in self.names], remote, "--formats", "npz,laz")
            self.assertEqual(run["tiles"]["done"], 9)
            met = [line.rsplit(" ", 1)[1] for line in proxy.log.read_text().splitlines()]
        self.assertGreater(len([fault for fault in met if fault != "ok"]), 5)
        self.assert_same(remote, local)

    def test_without_a_server_every_tile_is_named(self):
        port = free_port()
        urls = [f"http://127.0.0.1:{port}/{name}" for name in self.names]
        start = time.monotonic()
        done = tuile("process", *urls, "-o", self.folder / "out", "--set", "prefetch.retries=0", status=1)
        self.assertLess(time.monotonic() - start, 300)
        for url in urls:
            self.assertIn(url, done.stderr)

    def test_a_server_that_goes_away_fails_what_is_left_and_the_same_command_resumes(self):
        out = self.folder / "out"
        port = free_port()
        with self.store(port=port) as store:
            urls = self.urls(store)
            process(urls[:4], out)
        run = process(urls, out, "--set", "prefetch.retries=0", status=1)
        self.assertEqual(run["tiles"]["failed"], 9)
        with self.store(port=port):
            run = process(urls, out)
            self.assertEqual(run["tiles"]["failed"], 0)
        local = self.folder / "local"
        process(self.tiles, local)
        self.assert_same(out, local)

    def test_a_tile_that_is_not_there_stops_no_other(self):
        with self.store() as store:
            run = process([*self.urls(store), f"{store.url}/absent.laz"], self.folder / "out", status=1)
        self.assertEqual((run["tiles"]["done"], run["tiles"]["failed"]), (9, 1))
        self.assertIn("404", run["failed"][0]["message"])

    def test_queries_with_tokens_are_written_nowhere(self):
        out, trace = self.folder / "out", self.folder / "trace.json"
        with self.store() as store:
            urls = [f"{url}?token=SECRET" for url in [*self.urls(store), f"{store.url}/absent.laz"]]
            done = tuile("process", *urls, "-o", out, "--trace", trace, "--json", status=1)
        self.assertIn("absent.laz", done.stdout + done.stderr)
        texts = {"stdout": done.stdout.encode(), "stderr": done.stderr.encode(), "trace": trace.read_bytes()}
        texts.update({str(p): p.read_bytes() for p in out.rglob("*") if p.is_file()})
        self.assertEqual([name for name, text in texts.items() if b"SECRET" in text], [])

    def test_info_takes_urls(self):
        with self.store() as store:
            there = json.loads(tuile("info", "--json", "--stats", self.urls(store)[0]).stdout)["files"][0]
        here = json.loads(tuile("info", "--json", "--stats", self.tiles / self.names[0]).stdout)["files"][0]
        self.assertEqual({**there, "path": ""}, {**here, "path": ""})

    def test_names_that_clash_and_passwords_are_refused(self):
        done = tuile("process", "http://a.example/t.laz", "http://b.example/t.laz", "-o", self.folder / "out", status=2)
        self.assertIn("http://b.example/t.laz", done.stderr)
        done = tuile("process", "http://me:secret@a.example/t.laz", "-o", self.folder / "out", status=2)
        self.assertNotIn("secret", done.stderr)


class Copc(Folder):
    """The four COPC tiles of the test data."""

    def setUp(self):
        super().setUp()
        self.tiles = real_data("copc_grid")
        self.names = sorted(p.name for p in self.tiles.iterdir())

    def test_outputs_are_those_of_the_files(self):
        with FileStore(self.folder / "store", self.tiles) as store:
            process(self.tiles, self.folder / "local", "--features", "minimal")
            process([f"{store.url}/{name}" for name in self.names], self.folder / "remote", "--features", "minimal")
        left, right = outputs(self.folder / "remote"), outputs(self.folder / "local")
        self.assertEqual(len(left), 4)
        self.assertEqual([name for name in right if left.get(name) != right[name]], [])

    def test_a_halo_fetches_the_nodes_that_touch_it(self):
        with FileStore(self.folder / "store", self.tiles) as store:
            run = process([f"{store.url}/{n}" for n in self.names], self.folder / "out", "--features", "minimal", "--shard", "0/4")
            store.stop()
            requests = store.requests()
        self.assertEqual(run["tiles"]["done"], 1)
        fetched = {n: sum(sent for path, _, sent in requests if path == f"/{n}") for n in self.names}
        size = {n: os.path.getsize(self.tiles / n) for n in self.names}
        whole = [n for n in self.names if fetched[n] >= size[n]]
        self.assertEqual(len(whole), 1)
        for other in self.names:
            if other not in whole:
                self.assertLess(fetched[other], size[other] / 2, f"{other}, for the halo of {whole[0]}")
        self.assertEqual(run["reader"]["bytes_read"] + 4 * (65536 + 2780), sum(fetched.values()))


if __name__ == "__main__":
    unittest.main()

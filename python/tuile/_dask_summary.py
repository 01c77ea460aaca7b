"""The summary of a run whose tiles were done by many tasks."""
import json
from typing import Any, Dict, List, Sequence, Set, Tuple

from ._progress import Progress
from .processor import Job
from .summary import FailedTile, RunSummary, failed_tiles

#: Sections that hold nothing but counts, sums and means over requests.
_ADDED = ("times", "loader", "reader", "ground_truth", "imagery")
_RATIOS = frozenset({"cache_hit_rate", "avg_io_time_ms", "avg_wait_time_ms", "io_hidden_ratio", "decode_amplification"})
_LARGEST = ("peak_rss", "peak_anonymous")
_FIRST = ("version", "config_hash", "settings")


def added(a: Any, b: Any) -> Any:
    """The sum of two values of summaries: numbers add up, mappings and lists of layers by name, of other things the first stays."""
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, dict) and isinstance(b, dict):
        return {key: added(a.get(key), b.get(key)) for key in {**a, **b} if key not in _RATIOS}
    if isinstance(a, list) and isinstance(b, list):
        layers: Dict[str, Any] = {}
        for entry in a + b:
            name = entry.get("layer", "")
            layers[name] = {**added(layers.get(name), entry), "layer": name}
        return list(layers.values())
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return a + b
    return a


class ClusterTotals:
    """Adds up the summaries of tasks as they come; keeps none of them."""

    def __init__(self, total: int, skipped: int, failed: Sequence[FailedTile], notes: Sequence[str]) -> None:
        self._total = total
        self._skipped = skipped
        self._failed: List[FailedTile] = list(failed)
        self._notes = list(notes)
        self._done = 0
        self._points = 0
        self._points_in_input = 0
        self._tasks = 0
        self._cpu_seconds = 0.0
        self._sums: Dict[str, Any] = {}
        self.workers: Set[str] = set()
        self._names: Dict[str, Set[str]] = {"backend": set(), "device": set(), "backend_reason": set()}

    def add(self, summary: Dict[str, Any], jobs: Sequence[Job]) -> None:
        """A task that ended. What it skipped, an earlier try of it had done."""
        self.workers.add(summary["worker"])
        if "failed_at_all" in summary:
            self.add_failed([(job.public_path, summary["failed_at_all"], f"{job.public_path}: {summary['message']}") for job in jobs], jobs)
            return
        failed = [(tile["path"], tile["kind"], tile["message"]) for tile in summary["failed"]]
        self.add_failed(failed, jobs)
        self._cpu_seconds += summary["cpu_seconds"]
        self._points_in_input += sum(job.points for job in jobs) if summary["tiles"]["skipped"] == 0 else summary["points"]
        for name, values in self._names.items():
            if summary[name]:
                values.add(summary[name])
        for section in _ADDED:
            self._sums[section] = added(self._sums.get(section), summary[section])
        for name in _LARGEST:
            self._sums[name] = max(self._sums.get(name, 0), summary[name])
        for name in _FIRST:
            self._sums.setdefault(name, summary[name])

    def add_failed(self, failed: Sequence[Tuple[str, str, str]], jobs: Sequence[Job]) -> None:
        """A task, of whose jobs those named have failed and the others are done."""
        self._tasks += 1
        self._failed += failed_tiles(failed)
        paths = {path for path, _, _ in failed}
        for job in jobs:
            if job.public_path not in paths:
                self._done += 1
                self._points += job.points

    def progress(self, seconds: float) -> Progress:
        return Progress(self._done, len(self._failed), self._skipped, self._total, self._points, seconds, "")

    def summary(self, seconds: float) -> RunSummary:
        failed = sorted(self._failed)
        rate = self._points / seconds if seconds > 0 else 0.0
        sums = dict(self._sums)
        for section in ("loader", "reader"):
            sums[section] = {key: value for key, value in (sums.get(section) or {}).items() if key not in _RATIOS}
        decoded = sums["reader"].get("points_decoded", 0)
        sums["reader"]["decode_amplification"] = decoded / self._points_in_input if self._points_in_input > 0 else 0.0
        data = {
            **{name: ", ".join(sorted(values)) for name, values in self._names.items()},
            "tiles": {"total": self._total, "done": self._done, "failed": len(failed), "skipped": self._skipped,
                      "not_begun": self._total - self._done - len(failed) - self._skipped},
            "failed": [tile._asdict() for tile in failed],
            "notes": self._notes,
            "interrupted": False,
            "points": self._points,
            "wall_seconds": seconds,
            "cpu_seconds": self._cpu_seconds,
            "points_per_second": rate,
            "cluster": {"tasks": self._tasks, "workers": sorted(self.workers)},
            **sums,
        }
        lines = [f"{self._done} of {self._total} tiles done, {self._skipped} skipped (done before), {len(failed)} failed",
                 f"  {1e-6 * self._points:.2f} M points in {seconds:.2f} s: {1e-6 * rate:.2f} M points/s by {len(self.workers)} workers"
                 f"{' on ' + str(data['device']) if data['device'] else ''}",
                 f"  {self._tasks} tasks, decode amplification {sums['reader']['decode_amplification']:.2f}, "
                 f"CPU {self._cpu_seconds:.2f} s, peak memory of a worker {sums.get('peak_anonymous', 0) / (1 << 20):.0f} MiB"]
        lines += [f"  failed: {tile.message} ({tile.kind})" for tile in failed]
        return RunSummary(json.dumps(data), "\n".join(lines) + "\n")

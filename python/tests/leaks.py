"""What is refused is refused well: the exception says what was expected, and however often it happens nothing stays behind."""
import gc
import os
import re
import time

RUNS = 10_000
#: Bytes: 9000 leaks of the smallest object, of 16, are more.
LEAKED = 128 * 1024
#: The executor's threads come and go, as many as there are processors.
SPARE_THREADS = os.cpu_count()
#: AddressSanitizer holds back what is freed: memory in use tells nothing.
SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")


def _status(entry):
    with open("/proc/self/status") as status:
        return int(re.search(rf"^{entry}:\s+(\d+)", status.read(), re.MULTILINE).group(1))


def resident():
    """Anonymous bytes of this process."""
    return _status("RssAnon") * 1024


def grown(since):
    """Anonymous bytes more than then; 0 where memory tells nothing."""
    return 0 if SANITIZED else resident() - since


def threads():
    """Threads of this process."""
    return _status("Threads")


def settled(limit, seconds=10.0):
    """Whether at most so many threads are left, soon."""
    end = time.monotonic() + seconds
    while threads() > limit and time.monotonic() < end:
        time.sleep(0.02)
    return threads() <= limit


def _refusal(call, exception):
    try:
        call()
    except exception as error:
        return str(error)
    raise AssertionError(f"{exception.__name__} was expected, but nothing was raised")


def refused(call, exception, message=""):
    """The call raises the exception, whose text the expression matches; run 10 000 times, it leaves neither memory nor threads behind."""
    said = _refusal(call, exception)
    assert re.search(message, said, re.DOTALL), said

    def repeated(times):
        for _ in range(times):
            _refusal(call, exception)
        gc.collect()

    repeated(RUNS // 10)
    bytes_left = []
    # A leak grows every time, a heap that finds its size does not.
    while len(bytes_left) < 3 and (not bytes_left or bytes_left[-1] >= LEAKED):
        memory, running = resident(), threads()
        repeated(RUNS - RUNS // 10)
        assert settled(running + SPARE_THREADS)
        bytes_left.append(grown(memory))
    assert bytes_left[-1] < LEAKED, bytes_left

"""What is refused is refused well: the exception says what was expected, and however often it happens nothing stays behind."""
import gc
import os
import re
import time

RUNS = 10_000
#: The executor's threads come and go, as many as there are processors.
SPARE_THREADS = os.cpu_count()


def _status(entry):
    with open("/proc/self/status") as status:
        return int(re.search(rf"^{entry}:\s+(\d+)", status.read(), re.MULTILINE).group(1))


def resident():
    """Anonymous bytes of this process."""
    return _status("RssAnon") * 1024


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


def refused(call, exception, message="", runs=RUNS):
    """The call raises the exception, whose text the expression matches; run so often, it leaves neither memory nor threads behind."""
    said = _refusal(call, exception)
    assert re.search(message, said, re.DOTALL), said
    for _ in range(runs // 10):
        _refusal(call, exception)
    gc.collect()
    memory, running = resident(), threads()
    for _ in range(runs - runs // 10):
        _refusal(call, exception)
    gc.collect()
    # 9000 leaks of the smallest object would be more than that.
    assert resident() - memory < 256 * 1024
    assert settled(running + SPARE_THREADS)

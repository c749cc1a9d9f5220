"""Celery with the server as broker and as store of results: tasks, chains, groups, chords, retries, delays."""

import sys

from celery import Celery, chain, chord, group
from celery.contrib.testing.worker import start_worker

port = sys.argv[1]
url = f"redis://127.0.0.1:{port}/"
app = Celery("jobs", broker=url + "0", backend=url + "1")
app.conf.update(broker_connection_retry_on_startup=True, worker_hijack_root_logger=False)
attempts = []


@app.task
def add(a, b):
    return a + b


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def flaky(self, times):
    attempts.append(times)
    if len(attempts) < times:
        raise self.retry(countdown=0.1)
    return len(attempts)


def same(got, wanted):
    assert got == wanted, f"{got!r}, not {wanted!r}"


with start_worker(app, concurrency=4, pool="threads", perform_ping_check=False, shutdown_timeout=30):
    same([add.delay(n, n).get(timeout=20) for n in range(20)], [2 * n for n in range(20)])
    same(chain(add.s(1, 2), add.s(10), add.s(100))().get(timeout=20), 113)
    same(sorted(group(add.s(n, 1) for n in range(50))().get(timeout=30)), list(range(1, 51)))
    same(chord((add.s(n, 0) for n in range(20)), total.s())().get(timeout=30), 190)
    same(flaky.delay(3).get(timeout=20), 3)
    same(add.apply_async((1, 1), countdown=0.5).get(timeout=20), 2)

# Measures dask.distributed: a cluster of two worker processes with one thread each, on loopback TCP. The Python twin of ../serve.mjs and ../loops.mjs:
# the same counts, the same checks, the same lines.
import json
import os
import signal
import sys
import threading
import time

from distributed import Client, LocalCluster

STEPS, CHAINS, WIDTH, DIAMONDS, SINGLES = 100, 10, 10_000, 1_000, 200
CLOSE_SECONDS = 8


def noop(value):
    return value


def add(*values):
    return sum(values)


def check(got, wanted):
    if got != wanted:
        raise ValueError(f"wrong value: got {got}, wanted {wanted}")


def w1(chain):
    per_step = []
    for start in range(CHAINS):
        began = time.perf_counter()
        check(chain(start), start)
        per_step.append((time.perf_counter() - began) * 1e6 / STEPS)
    return per_step


def w2(client):
    began = time.perf_counter()
    futures = client.map(noop, range(WIDTH), pure=False)
    check(client.submit(len, futures, pure=False).result(), WIDTH)
    return [(WIDTH + 1) / (time.perf_counter() - began)]


def w3(client):
    began = time.perf_counter()
    ends = []
    for start in range(DIAMONDS):
        a = client.submit(noop, start, pure=False)
        middle = [client.submit(noop, a, pure=False) for _ in range(3)]
        ends.append(client.submit(add, *middle, pure=False))
    check(client.gather(ends), [3 * start for start in range(DIAMONDS)])
    return [DIAMONDS / (time.perf_counter() - began)]


def w4(client):
    latencies = []
    for value in range(SINGLES):
        began = time.perf_counter()
        check(client.submit(noop, value, pure=False).result(), value)
        latencies.append((time.perf_counter() - began) * 1e3)
    return latencies


def chain_graph(client, start):
    future = client.submit(noop, start, pure=False)
    for _ in range(STEPS - 1):
        future = client.submit(noop, future, pure=False)
    return future.result()


def chain_by_client(client, start):
    value = start
    for _ in range(STEPS):
        value = client.submit(noop, value, pure=False).result()
    return value


def say(body):
    print(json.dumps(body), flush=True)


def serve(client):
    forms = {
        "W1 graph": lambda: w1(lambda start: chain_graph(client, start)),
        "W1 client-driven": lambda: w1(lambda start: chain_by_client(client, start)),
        "W2 graph": lambda: w2(client),
        "W3 graph, all in flight": lambda: w3(client),
        "W4 submit": lambda: w4(client),
    }
    say({"ready": True})
    requests = []
    arrived = threading.Condition()

    def read():
        for line in sys.stdin:
            with arrived:
                requests.append(json.loads(line)["form"])
                arrived.notify()
        # With whoever started it: the main thread closes the cluster, whatever it is at, and what its processes share.
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(CLOSE_SECONDS)
        os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    while True:
        with arrived:
            arrived.wait_for(lambda: requests)
            form = requests.pop()
        try:
            say({"values": forms[form]()})
        except Exception as error:
            say({"error": f"{form}: {error}"})


if __name__ == "__main__":
    try:
        with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
            with Client(cluster) as client:
                serve(client)
    except KeyboardInterrupt:
        pass

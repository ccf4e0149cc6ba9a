"""Calls the deployed app by its name, as a program that does not have its source; prints what came of it.

`python visit_shop.py [briefly]`
"""

import json
import sys

from runpod import Api, EndpointNotFound, Queue
from runpod.apps import RemoteExecutionError

greet = Queue(app="shop", name="greet")
count = Queue(app="shop", name="count")
refuse = Queue(app="shop", name="refuse")
seen = {}


def attempt(call):
    try:
        return call()
    except (EndpointNotFound, RemoteExecutionError) as error:
        return f"{type(error).__name__}: {error}"


seen["remote"] = greet.remote(name="Ann", times=2)
if "briefly" in sys.argv:
    sys.exit(print(json.dumps(seen)))
seen["whole"] = count.remote(to=2)
seen["stream"] = list(count.stream(to=3))

job = greet.spawn(name="Bob")
seen["spawn"] = {"id": job.id, "result": job.result(), "status": job.status()}
seen["again"] = greet.job(job.id).result()

long = count.spawn(to=1, pause=60)
seen["cancel"] = {"id": long.id, "status": long.cancel().status()}

failing = refuse.spawn(reason="snow")
seen["error"] = attempt(failing.result)
seen["retry"] = {"id": failing.id, "status": failing.retry().id, "error": attempt(failing.result)}
seen["options"] = greet.with_options(execution_timeout=9000, ttl=60000).remote(name="Eve")
seen["missing"] = attempt(lambda: Queue(app="shop", name="nothing").remote(name="Ann"))
seen["other"] = attempt(lambda: Queue(app="shop", name="greet", env="elsewhere").remote(name="Ann"))

front = Api(app="shop", name="Front")
seen["post"] = front.post("/visit", {"name": "Ann"})
seen["get"] = front.get("/visits")
seen["noRoute"] = attempt(lambda: front.get("/nowhere"))

print(json.dumps(seen))

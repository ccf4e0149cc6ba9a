"""Calls an app in TypeScript by its name, as a program that knows no more than that; prints what came of it."""

import json

from aiohttp import ClientResponseError
from runpod import Api, EndpointNotFound, Queue
from runpod.apps import RemoteExecutionError

seen = {}


def queue(name, **more):
    return Queue(app="studio", name=name, **more)


def attempt(call):
    try:
        return call()
    except EndpointNotFound as error:
        return f"{type(error).__name__}: {error}"
    except ClientResponseError as error:
        return error.status
    except RemoteExecutionError as error:
        failure = json.loads(str(error).removeprefix("remote execution failed: "))
        return {"message": failure["error_message"], "code": failure["flash"].get("code")}


caption = queue("caption")
seen["remote"] = caption.remote(text="dawn", times=2)
seen["shorter"] = caption.remote(text="dawn")
seen["wrong"] = attempt(lambda: caption.remote(text="dawn", time=2))
seen["mistyped"] = attempt(lambda: queue("checked").remote(width="wide"))
seen["checked"] = queue("checked").remote(width="12")
seen["values"] = queue("values").remote()
seen["ambiguous"] = queue("values").remote(own="error")
seen["beyond"] = attempt(lambda: queue("values").remote(own="more"))
seen["method"] = queue("counter").remote(method="add", by=2)
seen["right"] = queue("pair").remote(**{"flash:call": {"v": 1, "fn": "right"}, "text": "dawn"})
seen["silent"] = queue("silent").remote(text="dawn")

frames = queue("frames")
seen["whole"] = frames.remote(to=2)
seen["stream"] = list(frames.stream(to=3))

job = caption.spawn(text="dusk")
seen["spawn"] = {"id": job.id, "result": job.result(), "status": job.status()}
long = frames.spawn(to=1, pause=60_000)
seen["cancel"] = {"id": long.id, "status": long.cancel().status(), "result": long.result()}

closed = queue("refuse").spawn(reason="snow")
seen["error"] = attempt(closed.result)
seen["failed"] = closed.status()
seen["retry"] = {"id": closed.retry().id, "error": attempt(closed.result)}
seen["crash"] = attempt(lambda: queue("refuse").remote(reason=""))
seen["missing"] = attempt(lambda: queue("nothing").remote(text="dawn"))
seen["elsewhere"] = attempt(lambda: queue("caption", env="elsewhere").remote(text="dawn"))

site = Api(app="studio", name="site")
seen["text"] = site.get("/text")
seen["noPage"] = attempt(lambda: site.get("/nowhere"))

posters = Api(app="studio", name="posters")
seen["post"] = posters.post("/posters?size=2", {"title": "dawn"})
seen["get"] = posters.get("/posters")
seen["one"] = posters.get("/posters/dawn")
seen["delete"] = posters.delete("/posters/dawn")
seen["invalid"] = attempt(lambda: posters.post("/posters?size=2", {}))
seen["closed"] = attempt(lambda: posters.get("/closed"))
seen["noRoute"] = attempt(lambda: posters.get("/nowhere"))
seen["web"] = Api(app="studio", name="gallery").put("/walls/2", {"title": "dawn"})

print(json.dumps(seen))

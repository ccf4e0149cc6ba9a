"""Calls endpoints with the client of `runpod` 1.x, by the ids that its arguments name; prints what came of it."""

import asyncio
import json
import os
import sys
import time

import aiohttp
import runpod

runpod.api_key = os.environ["RUNPOD_API_KEY"]
endpoints = {name: runpod.Endpoint(id) for name, id in (pair.split("=") for pair in sys.argv[1:])}
seen = {}

sync = endpoints["sync"]
seen["runSync"] = sync.run_sync({"text": "one"})
job = sync.run({"input": {"text": "two"}})
seen["run"] = {"id": job.job_id, "output": job.output(timeout=60), "status": job.status()}


async def call_async():
    async with aiohttp.ClientSession() as session:
        endpoint = runpod.AsyncioEndpoint(sync.endpoint_id, session)
        job = await endpoint.run({"text": "three"})
        output = await job.output(timeout=60)
        return {"id": job.job_id, "output": output, "status": await job.status(), "health": await endpoint.health()}


seen["async"] = asyncio.run(call_async())

stream = endpoints["generator"].run({"to": 3})
seen["stream"] = {"id": stream.job_id, "chunks": list(stream.stream())}

waiting = endpoints["async"].run({"pause": 60})
behind = [endpoints["async"].run({"pause": 60}).job_id for _ in range(2)]
while waiting.status() != "IN_PROGRESS":
    pass
# A worker that is told to stop a job in the very moment in which it begins with it takes no other.
time.sleep(1)
seen["health"] = endpoints["async"].health()
seen["purge"] = endpoints["async"].purge_queue()
seen["behind"] = behind
seen["cancel"] = {"id": waiting.job_id, "answer": waiting.cancel(), "status": waiting.status()}

failing = endpoints["error"].run({"key": "colour"})
seen["failing"] = {"id": failing.job_id, "output": failing.output(timeout=60), "status": failing.status()}

try:
    runpod.Endpoint("nothing-there").run({"text": "one"})
except Exception as error:
    seen["missing"] = str(error)
try:
    runpod.Endpoint(sync.endpoint_id, api_key="wrong").health()
except RuntimeError as error:
    seen["refused"] = str(error)

print(json.dumps(seen))

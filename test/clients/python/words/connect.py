"""Calls an endpoint that is there already, by its id, with runpod-flash 1.x; prints what came of it."""

import asyncio
import json
import sys

from runpod_flash import Endpoint


async def main(endpoint_id):
    endpoint = Endpoint(id=endpoint_id)
    seen = {}
    done = await endpoint.runsync({"text": "one"})
    seen["runsync"] = {"id": done.id, "output": done.output, "done": done.done}
    job = await endpoint.run({"text": "two"})
    await job.wait(timeout=30)
    seen["run"] = {"id": job.id, "output": job.output, "status": await job.status()}
    long = await endpoint.run({"text": "three", "pause": 60})
    await long.cancel()
    seen["cancel"] = {"id": long.id, "status": await long.status()}
    print(json.dumps(seen))


asyncio.run(main(sys.argv[1]))

"""Workers as users of `runpod` 1.x write them: `python worker.py KIND`."""

import asyncio
import os
import sys
import time

import runpod


def answer(job):
    time.sleep(job["input"].get("pause", 0))
    print(f"answering {job['input'].get('text')}")
    return {"text": str(job["input"].get("text")).upper(), "id": job["id"], "pid": os.getpid()}


async def wait(job):
    print(f"waiting {job['input'].get('pause', 0)}")
    await asyncio.sleep(job["input"].get("pause", 0))
    return f"waited {job['input'].get('pause', 0)}"


def count(job):
    for at in range(job["input"]["to"]):
        yield {"at": at}


async def count_slowly(job):
    for at in range(job["input"]["to"]):
        await asyncio.sleep(0.05)
        yield at
        if at == job["input"].get("fail_at"):
            raise RuntimeError(f"failed at {at}")


async def report(job):
    for step in (1, 2):
        runpod.serverless.progress_update(job, {"step": step})
        await asyncio.sleep(job["input"]["pause"])
    return "reported"


def fail(job):
    if job["input"].get("returns"):
        return {"error": "no such model", "tried": 3}
    raise KeyError(job["input"]["key"])


running = 0


async def share(job):
    """Ends when as many jobs run as the job says."""
    global running
    running += 1
    while running < job["input"]["together"]:
        await asyncio.sleep(0.01)
    return running


def refresh(job):
    return {"refresh_worker": True, "pid": os.getpid()}


kinds = {
    "sync": {"handler": answer},
    "async": {"handler": wait},
    "generator": {"handler": count},
    "aggregate": {"handler": count_slowly, "return_aggregate_stream": True},
    "progress": {"handler": report},
    "error": {"handler": fail},
    "concurrency": {"handler": share, "concurrency_modifier": lambda current: 4},
    "refresh": {"handler": refresh},
}

runpod.serverless.start(kinds[sys.argv[1]])

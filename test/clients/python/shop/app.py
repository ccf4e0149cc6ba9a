"""An app of the SDK 2.0 with one of each kind of resource."""

import asyncio
import os
import time

import runpod
from runpod import App, Secret, get, init, post

app = App("shop")


@app.queue(cpu="cpu3c-1-2", env={"WORD": Secret("word")})
def greet(name: str, times: int = 1, pause: float = 0):
    time.sleep(pause)
    print(f"greeting {name}")
    return f"{os.environ['WORD']} {name}" * times


@app.queue(cpu="cpu3c-1-2")
async def count(to: int, pause: float = 0):
    for at in range(to):
        await asyncio.sleep(pause)
        yield {"at": at}


@app.queue(cpu="cpu3c-1-2")
def refuse(reason: str):
    raise ValueError(f"closed because of {reason}")


@app.api(cpu="cpu3c-1-2")
class Front:
    @init
    def open(self):
        self.visits = 0

    @get("/visits")
    def read(self):
        return {"visits": self.visits}

    @post("/visit")
    async def visit(self, body: dict):
        self.visits += 1
        return {"welcome": body["name"], "visits": self.visits}


@runpod.local_entrypoint
def main():
    print("answer:", greet.remote("Ann", times=2, pause=2))
    print("chunks:", list(count.stream(3)))
    print("whole:", count.remote(to=2))
    print("visit:", Front.post("/visit", {"name": "Ann"}), Front.get("/visits"))
    if os.environ.get("SHOP_REFUSES"):
        refuse.remote("snow")

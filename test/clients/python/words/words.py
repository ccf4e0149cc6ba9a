"""Provisions endpoints with runpod-flash 1.x when their functions are called; prints what came of it."""

import asyncio
import json
import os

from runpod_flash import Endpoint


@Endpoint(name="shout", workers=(0, int(os.environ["WORKERS"])), idle_timeout=30, env={"TONE": "loud"})
async def shout(text: str) -> dict:
    import os

    print(f"shouting {text}")
    return {"text": text.upper(), "tone": os.environ["TONE"]}


@Endpoint(name="whisper", cpu="cpu3c-1-2", workers=1)
def whisper(text: str) -> str:
    if not text:
        raise ValueError("nothing to whisper")
    return text.lower()


async def main():
    seen = {"shout": await shout("hey"), "whisper": await whisper("Hey")}
    try:
        await whisper("")
    except Exception as error:
        seen["error"] = str(error)
    print(json.dumps(seen))


asyncio.run(main())

"""TRL: rewards of a batch in one request, from murmur serve."""

import asyncio
import os

import aiohttp

URL = os.environ.get("MURMUR_URL", "http://127.0.0.1:8080")
KEY = {"X-API-Key": os.environ.get("MURMUR_API_KEY", "")}  # if the server wants one


def _input(prompt, completion):
    if isinstance(prompt, str):
        return {"prompt": prompt, "response": completion}
    return {"messages": [*prompt, *completion]}


async def murmur_reward(prompts, completions, **kwargs):
    body = {"inputs": [_input(p, c) for p, c in zip(prompts, completions)], "literal": True}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
        for _ in range(10):
            async with session.post(f"{URL}/v1/rewards", json=body, headers=KEY) as response:
                if response.status != 503:  # 503: no rewards until the server's deadline
                    response.raise_for_status()
                    rows = (await response.json())["data"]
                    return [row.get("reward") for row in rows]  # None for a text without one
            await asyncio.sleep(float(response.headers.get("Retry-After", 5)))
    raise RuntimeError(f"no rewards from {URL} in 10 tries: it has too much to do")

"""verl: the reward of a response, from murmur serve."""

import asyncio
import os

import aiohttp

URL = os.environ.get("MURMUR_URL", "http://127.0.0.1:8080")
KEY = {"X-API-Key": os.environ.get("MURMUR_API_KEY", "")}  # if the server wants one


async def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    body = {"prompt": extra_info["question"], "responses": [solution_str], "literal": True}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
        for _ in range(10):
            async with session.post(f"{URL}/v1/rewards", json=body, headers=KEY) as response:
                if response.status != 503:  # 503: no reward until the server's deadline
                    response.raise_for_status()
                    row = (await response.json())["data"][0]
                    return {"score": row["reward"], "truncated_tokens": row["truncated_tokens"]}
            await asyncio.sleep(float(response.headers.get("Retry-After", 5)))
    raise RuntimeError(f"no reward from {URL} in 10 tries: it has too much to do")

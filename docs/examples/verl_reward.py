"""verl: the reward of a response, from murmur serve."""

import asyncio
import os

import aiohttp

URL = os.environ.get("MURMUR_URL", "http://127.0.0.1:8080")


async def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    body = {"prompt": extra_info["question"], "responses": [solution_str], "literal": True}
    timeout = aiohttp.ClientTimeout(total=300)
    for attempt in range(10):
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.post(f"{URL}/v1/rewards", json=body) as response:
                if response.status != 503:  # 503: the queue was full until the deadline
                    response.raise_for_status()
                    row = (await response.json())["data"][0]
                    return {"score": row["reward"], "truncated_tokens": row["truncated_tokens"]}
        await asyncio.sleep(min(2**attempt, 30))
    raise RuntimeError(f"no reward from {URL}: its queue stays full")

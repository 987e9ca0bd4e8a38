"""slime: rewards of a whole group in one request, from murmur serve (--group-rm)."""

import asyncio
import os

import aiohttp

KEY = {"X-API-Key": os.environ.get("MURMUR_API_KEY", "")}  # if the server wants one


def _input(sample):
    prompt = (sample.metadata or {}).get("question", sample.prompt)
    if isinstance(prompt, str):
        return {"prompt": prompt, "response": sample.response}
    return {"messages": [*prompt, {"role": "assistant", "content": sample.response}]}


async def _rewards(url, samples):
    body = {"inputs": [_input(sample) for sample in samples], "literal": True}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
        for _ in range(10):
            async with session.post(f"{url}/v1/rewards", json=body, headers=KEY) as response:
                if response.status != 503:  # 503: no rewards until the server's deadline
                    response.raise_for_status()
                    return [row["reward"] for row in (await response.json())["data"]]
            await asyncio.sleep(float(response.headers.get("Retry-After", 5)))
    raise RuntimeError(f"no rewards from {url} in 10 tries: it has too much to do")


async def reward_func(args, samples, **kwargs):
    if isinstance(samples, list):
        return await _rewards(args.rm_url, samples)
    return (await _rewards(args.rm_url, [samples]))[0]  # evaluations give one sample

"""slime: rewards of a whole group in one request, from murmur serve (--group-rm)."""

import aiohttp


def _input(sample):
    prompt = (sample.metadata or {}).get("question", sample.prompt)
    if isinstance(prompt, str):
        return {"prompt": prompt, "response": sample.response}
    return {"messages": [*prompt, {"role": "assistant", "content": sample.response}]}


async def reward_func(args, samples, **kwargs):
    group = samples if isinstance(samples, list) else [samples]  # evaluations give one sample
    body = {"inputs": [_input(sample) for sample in group], "literal": True}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=300)) as session:
        async with session.post(f"{args.rm_url}/v1/rewards", json=body) as response:
            response.raise_for_status()
            rewards = [row["reward"] for row in (await response.json())["data"]]
    return rewards if isinstance(samples, list) else rewards[0]

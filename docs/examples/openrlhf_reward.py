"""OpenRLHF: rewards in the reward model's own template, from murmur serve.

The dataset's column with the plain question comes as the label (--data.label_key).
"""

import json
import os
import urllib.request

URL = os.environ.get("MURMUR_URL", "http://127.0.0.1:8080")
KEY = os.environ.get("MURMUR_API_KEY", "")  # if the server wants one
END = os.environ.get("POLICY_END", "<|im_end|>")  # what ends an answer of the policy


def _input(query, prompt, question):
    if not query.startswith(prompt):
        raise ValueError(f"the query does not begin with its prompt: {query[:80]!r}")
    return {"prompt": question, "response": query[len(prompt) :].removesuffix(END)}


def reward_func(queries, prompts, labels, **kwargs):
    inputs = [_input(*row) for row in zip(queries, prompts, labels)]
    body = json.dumps({"inputs": inputs, "literal": True}).encode()
    headers = {"Content-Type": "application/json", "X-API-Key": KEY}
    request = urllib.request.Request(f"{URL}/v1/rewards", body, headers)
    with urllib.request.urlopen(request, timeout=300) as response:
        rewards = [row["reward"] for row in json.load(response)["data"]]
    return {"rewards": rewards, "scores": rewards, "extra_logs": {}}

"""Starts murmur serve with the embedded model and runs the examples beside this file against it.

Usage: check.py [URL of a server that runs already]
"""

import asyncio
import http.server
import importlib.util
import json
import os
import pathlib
import pickle
import re
import subprocess
import sys
import threading
import types
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
QUESTION = "How do I boil an egg?"
ANSWERS = ["Go away.", "Put the egg in boiling water for eight minutes.", "</s> I do not care."]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def post(url, body):
    headers = {"Content-Type": "application/json", "X-API-Key": os.environ.get("MURMUR_API_KEY", "")}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def same(name, got, expected):
    if got != expected:
        raise SystemExit(f"{name}: {got}, expected {expected}")
    print(f"{name}: {got}")


def verl(expected):
    module = load(HERE / "verl_reward.py")

    async def all_of_them():
        extra = {"question": QUESTION}
        scores = [module.compute_score("data", answer, None, extra_info=extra) for answer in ANSWERS]
        return [score["score"] for score in await asyncio.gather(*scores)]

    same("verl", asyncio.run(all_of_them()), expected)


def trl(expected):
    function = pickle.loads(pickle.dumps(load(HERE / "trl_reward.py").murmur_reward))
    completions = [[{"role": "assistant", "content": answer}] for answer in ANSWERS]
    messages = [[{"role": "user", "content": QUESTION}]] * 3
    same("TRL", asyncio.run(function(messages, completions, completion_ids=[])), expected)
    same("TRL, plain texts", asyncio.run(function([QUESTION] * 3, ANSWERS)), expected)


def slime(url, expected):
    function = load(HERE / "slime_reward.py").reward_func
    args = types.SimpleNamespace(rm_url=url)

    def sample(answer, **fields):
        return types.SimpleNamespace(**({"prompt": QUESTION, "metadata": {}, "response": answer} | fields))

    same("slime", asyncio.run(function(args, [sample(answer) for answer in ANSWERS])), expected)
    templated = sample(ANSWERS[1], prompt="<|im_start|>user…", metadata={"question": QUESTION})
    same("slime, templated prompt", asyncio.run(function(args, templated)), expected[1])
    conversation = sample(ANSWERS[1], prompt=[{"role": "user", "content": QUESTION}])
    same("slime, messages", asyncio.run(function(args, conversation)), expected[1])


def openrlhf(expected):
    prompts = [f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"] * 3
    queries = [prompt + answer + "<|im_end|>" for prompt, answer in zip(prompts, ANSWERS)]
    result = load(HERE / "openrlhf_reward.py").reward_func(queries, prompts, [QUESTION] * 3)
    same("OpenRLHF", result["rewards"], expected)


def nemo_gym(url, expected):
    """The server's own code; of NeMo-Gym only what it calls, over the same HTTP."""

    class Body(types.SimpleNamespace):
        def model_dump(self, mode="python"):
            return dict(vars(self))

    async def request(method, url, json, headers):
        same("NeMo-Gym, key", headers["X-API-Key"], os.environ.get("MURMUR_API_KEY", ""))
        return await asyncio.to_thread(post, url, json)

    async def itself(value):
        return value

    async def nothing(response):
        return None

    base = {name: Body for name in ("BaseVerifyRequest", "BaseVerifyResponse")}
    base |= {name: type(name, (), {}) for name in ("BaseResourcesServerConfig", "SimpleResourcesServer")}
    utils = {"get_response_json": itself, "raise_for_status": nothing, "request": request}

    async def reraise_judge_errors(coroutine):
        return await coroutine

    judge = {"reraise_judge_errors": reraise_judge_errors}
    for name, members in {"": {}, ".base_resources_server": base, ".judge": judge, ".server_utils": utils}.items():
        module = sys.modules["nemo_gym" + name] = types.ModuleType("nemo_gym" + name)
        vars(module).update(members)
    server = load(HERE / "nemo_gym" / "app.py").MurmurResourcesServer()
    server.config = types.SimpleNamespace(murmur_url=url)
    content = [{"type": "output_text", "text": ANSWERS[1], "annotations": []}]
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": content}
    body = Body(
        responses_create_params={"input": [{"role": "user", "content": QUESTION}]},
        response={"id": "r", "object": "response", "output": [message]},
    )
    same("NeMo-Gym", asyncio.run(server.verify(body)).reward, expected[1])


def busy(url, expected):
    """A server that has too much to do answers 503; asked again, it has the reward."""
    answers = [503, 200]

    class Busy(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = answers.pop(0)
            answer = json.dumps(post(url + self.path, body) if status == 200 else {}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        os.environ["MURMUR_URL"] = f"http://127.0.0.1:{server.server_port}"
        score = load(HERE / "verl_reward.py").compute_score("data", ANSWERS[1], None, {"question": QUESTION})
        same("verl, busy", asyncio.run(score)["score"], expected[1])
        answers += [503, 200]
        rewards = load(HERE / "trl_reward.py").murmur_reward([QUESTION], ANSWERS[1:2])
        same("TRL, busy", asyncio.run(rewards), expected[1:2])
        answers += [503, 200]
        args = types.SimpleNamespace(rm_url=os.environ["MURMUR_URL"])
        sample = types.SimpleNamespace(prompt=QUESTION, metadata=None, response=ANSWERS[1])
        reward = load(HERE / "slime_reward.py").reward_func(args, sample)
        same("slime, busy", asyncio.run(reward), expected[1])
        server.shutdown()


def check(url):
    os.environ["MURMUR_URL"] = url
    body = {"prompt": QUESTION, "responses": ANSWERS, "literal": True}
    expected = [row["reward"] for row in post(f"{url}/v1/rewards", body)["data"]]
    if len(set(expected)) != 3:
        raise SystemExit(f"the answers have the rewards {expected}, which do not tell them apart")
    verl(expected)
    trl(expected)
    slime(url, expected)
    openrlhf(expected)
    nemo_gym(url, expected)
    busy(url, expected)


def main():
    if len(sys.argv) > 1:
        return check(sys.argv[1].rstrip("/"))
    os.environ["MURMUR_API_KEY"] = "the-key-of-the-examples"
    command = [HERE.parent.parent / "murmur", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            said = []
            for line in server.stderr:
                said.append(line)
                if ready := re.search(r"on (http://\S+?)/?$", line.strip()):
                    return check(ready.group(1))
            raise SystemExit("the server did not start:\n" + "".join(said))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()

# Writes conversations and what Jinja2 makes of them with a published tokenizer's chat template, in the environment of
# transformers' apply_chat_template: a row of JSON each, with "refused" where it fails. Nothing where there is no template.
#   python3 render.py tokenizer_config.json > rows.jsonl
import datetime
import json
import random
import sys

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

DAY = datetime.datetime(2026, 11, 26)
CONTENTS = [
    "", " ", "\n", "\n\n  \n", "\t", "Hello?", "Hi, how can I help you?", "  two blanks before and behind  ", "\n\nlines around\n\n",
    "a\r\nb\rc", "\u00a0no-break\u3000wide\u2028line\u0085next\u200bzero", "na\u00efve caf\u00e9 \u00c5ngstr\u00f6m e\u0301 \u1112\u1161\u11ab",
    "\U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467", "\u0645\u0631\u062d\u0628\u0627", "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
    "<s>", "</s>", "a</s><s>b", "[INST] x [/INST]", "<<SYS>>\ny\n<</SYS>>", "<|im_start|>assistant\nno<|im_end|>", "<|im_end|>",
    "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>system<|end_header_id|>\n\nbe bad<|eot_id|>", "<|endoftext|>",
    "<think>\nso\n</think>\n\nanswer", "<think></think>", "</think>", "</think>only the end", "<think>only the start", "a</think>b</think>c",
    "<think>\n\n</think>\n\n\n\nfour", "<tool_response>\n1\n</tool_response>", "<tool_response>", "<tool_call>\n{\"name\": \"f\"}\n</tool_call>",
    "{{ 7 * 7 }}", "{% for x in y %}", "{# no #}", "{{", "%}", "\\n \\\\ \\u0041", "'single' \"double\" `back`", "100 % {} {0} %s %d",
    "def f(x):\n    return x  # ok\n", "null", "None", "x" * 3000,
]


def conversations():
    rng = random.Random(20261126)
    yield []
    for role in ("system", "user", "assistant", "tool", "other"):
        yield [{"role": role, "content": "alone"}]
    for content in CONTENTS:
        yield [{"role": "user", "content": content}, {"role": "assistant", "content": "ok"}]
        yield [{"role": "user", "content": "q"}, {"role": "assistant", "content": content}]
        yield [{"role": "system", "content": content}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    for _ in range(200):
        messages = []
        if rng.random() < 0.5:
            messages.append({"role": "system", "content": rng.choice(CONTENTS)})
        for _ in range(rng.randint(1, 5)):
            messages.append({"role": "user", "content": rng.choice(CONTENTS)})
            messages.append({"role": "assistant", "content": rng.choice(CONTENTS)})
        if rng.random() < 0.1:
            rng.shuffle(messages)
        yield messages


def environment():
    def refuse(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = refuse
    env.globals["strftime_now"] = lambda form: DAY.strftime(form)
    return env


def text(token):
    return token["content"] if isinstance(token, dict) else token


def main(path):
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    source = config.get("chat_template")
    if source is None:
        print(path + " has no chat template", file=sys.stderr)
        return
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    special = {name: text(config[name]) for name in names if config.get(name)}
    template = environment().from_string(source)
    for messages in conversations():
        row = {"messages": messages}
        try:
            row["rendered"] = template.render(messages=messages, tools=None, documents=None, add_generation_prompt=False, **special)
        except (jinja2.exceptions.TemplateError, TypeError, ValueError, AttributeError, KeyError) as problem:
            row["refused"] = f"{type(problem).__name__}: {problem}"
        print(json.dumps(row))


main(sys.argv[1])

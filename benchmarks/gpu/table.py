"""Prints what run.sh measured as Markdown.

    table.py SHAPE OUT
"""

import json
import pathlib
import sys

LENGTHS = (64, 512, 2048)
TYPES = ("BF16", "Q8_0", "Q4_K_M")


def read(path: pathlib.Path):
    return json.loads(path.read_text(encoding="utf-8"))


def main(shape: str, out: pathlib.Path) -> None:
    baseline = read(out / "transformers.json")
    print(f"{baseline['device']}, {shape}; PyTorch {baseline['torch']}, transformers {baseline['transformers']} in bfloat16.")
    print(f"{read(out / 'murmur-BF16-512.json')['build']}.\n")
    print("Prefill of one text, thousands of tokens a second:\n")
    print("| weights | program | micro-batch | " + " | ".join(f"{n} tokens" for n in LENGTHS) + " |")
    print("|---|---|---|" + "---|" * len(LENGTHS))

    def row(cells: list) -> None:
        print("| " + " | ".join(cells) + " |")

    def speeds(values) -> list:
        return [f"{value / 1000:.1f}" for value in values]

    row(["BF16", "transformers", ""] + speeds(n / baseline["prefill"][str(n)] for n in LENGTHS))
    for kind in TYPES:
        for batch in (512, 2048):
            ours = {p["tokens"]: p["tokens_per_second"] for p in read(out / f"murmur-{kind}-{batch}.json")["prefill"]}
            theirs = {p["n_prompt"]: p["avg_ts"] for p in read(out / f"llama-bench-{kind}-{batch}.json")}
            row([kind, "murmur", str(batch)] + speeds(ours[n] for n in LENGTHS))
            row([kind, "llama-bench", str(batch)] + speeds(theirs[n] for n in LENGTHS))

    together = baseline["best_of"]
    print("\nEight responses to a prompt (transformers: one padded batch):\n")
    print("| weights | program | micro-batch | tokens asked | computed | ms | thousands of asked tokens a second |")
    print("|---|---|---|---|---|---|---|")

    def answers(kind: str, program: str, batch: str, asked: float, computed: float, seconds: float) -> None:
        row([kind, program, batch, f"{asked:.0f}", f"{computed:.0f}", f"{1000 * seconds:.1f}", f"{asked / seconds / 1000:.1f}"])

    answers("BF16", "transformers", "", together["tokens"], together["padded"], together["together"])
    answers("BF16", "transformers, one by one", "", together["tokens"], together["tokens"], together["one_by_one"])
    for kind in TYPES:
        for batch in (512, 2048):
            best = read(out / f"murmur-{kind}-{batch}.json")["best_of"]
            for name, program in (("together", "murmur"), ("one_by_one", "murmur, one by one")):
                figure = best[name]
                answers(kind, program, str(batch), figure["tokens_asked"], figure["tokens_computed"], figure["seconds"])

    print("\nFurthest from transformers' float32 rewards, of", len(baseline["tokens"]), "texts of", min(baseline["tokens"]), "to",
          max(baseline["tokens"]), "tokens; rewards differ by", f"{deviation(baseline['float32']):.2g} (standard deviation):\n")
    print("| weights | program | furthest |")
    print("|---|---|---|")
    row(["BF16", "transformers, bfloat16", furthest(baseline["float32"], baseline["bfloat16"])])
    for name in [f"fast-{kind}" for kind in TYPES] + ["exact-BF16"]:
        lines = (out / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        precision, kind = name.split("-")
        row([kind, f"murmur, `{precision}`", furthest(baseline["float32"], [json.loads(line)["reward"] for line in lines])])


def furthest(wanted: list, got: list) -> str:
    return f"{max(abs(a - b) for a, b in zip(wanted, got, strict=True)):.2g}"


def deviation(values: list) -> float:
    mean = sum(values) / len(values)
    return (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], pathlib.Path(sys.argv[2]))

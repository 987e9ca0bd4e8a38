"""Rewards and times of a checkpoint in transformers, to put beside murmur's. Prints one JSON object.

    beside_transformers.py CHECKPOINT TEXTS.jsonl

TEXTS has a row {"text": …} for each text. "float32" are the rewards of one text at a time with float32 arithmetic throughout (no TF32),
"bfloat16" those of the weights' own type. "prefill" are seconds for one text of so many tokens, "best_of" seconds for eight responses of
110 to 330 tokens to a prompt of 200, padded into one batch, as murmur bench asks for them, and one by one; medians, in bfloat16 with
PyTorch's own attention ("sdpa"). Tokenizing is not part of any time. Where PyTorch sees no GPU it computes on the processors that the
process may use.
"""

import json
import statistics
import sys
import time

import torch
import transformers
from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

LENGTHS = (64, 512, 2048)
PROMPT, SHORTEST, LONGEST, RESPONSES = 200, 110, 330, 8


def main(checkpoint: str, rows: str) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=f"{checkpoint}/tokenizer.json")
    with open(rows, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    ids = [[1] + tokenizer.encode(text, add_special_tokens=False) for text in texts]
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint, dtype=torch.bfloat16).to(device).eval()
    result = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "tokens": [len(i) for i in ids],
    }

    @torch.inference_mode()
    def rewards(batch: list[list[int]]) -> list[float]:
        longest = max(map(len, batch))
        padded = torch.tensor([row + [0] * (longest - len(row)) for row in batch])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
        return model(input_ids=padded.to(device), attention_mask=mask.to(device)).logits[:, 0].float().tolist()

    def seconds(length_rows: list[int], one_by_one: bool = False) -> float:
        times = []
        until = time.perf_counter() + 3
        while len(times) < 5 or (time.perf_counter() < until and len(times) < 50):
            batch = [[1] + torch.randint(259, 32_000, (n - 1,)).tolist() for n in length_rows]
            start = time.perf_counter()
            for part in [[row] for row in batch] if one_by_one else [batch]:
                rewards(part)  # Ends with a copy to the host, which waits for the device.
            times.append(time.perf_counter() - start)
        return statistics.median(times[1:])

    result["bfloat16"] = [rewards([row])[0] for row in ids]
    result["prefill"] = {length: seconds([length]) for length in LENGTHS}
    best_of = [PROMPT + SHORTEST + (LONGEST - SHORTEST) * i // (RESPONSES - 1) for i in range(RESPONSES)]
    result["best_of"] = {"tokens": sum(best_of), "padded": RESPONSES * max(best_of), "together": seconds(best_of)}
    result["best_of"]["one_by_one"] = seconds(best_of, one_by_one=True)
    model.float()
    result["float32"] = [rewards([row])[0] for row in ids]
    print(json.dumps(result))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])

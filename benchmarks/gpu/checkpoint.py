"""Writes a reward model of a known shape with random weights as transformers stores it: bfloat16, safetensors.

For speed and for comparing two programs on the same weights, never for judging text. Weights are normal with variance
1 / row length, which keeps activations near 1 at any depth, as training does.

    checkpoint.py 7B|1.1B|tiny DIR TOKENIZER   # TOKENIZER: a folder with Llama 2's tokenizer.json and tokenizer_config.json
"""

import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file

# hidden size, layers, heads, key and value heads, feed-forward size
SHAPES = {"7B": (4096, 32, 32, 32, 11008), "1.1B": (2048, 22, 32, 4, 5632), "tiny": (64, 2, 2, 2, 192)}
VOCABULARY = 32_000


def main(shape: str, folder: pathlib.Path, tokenizer: pathlib.Path) -> None:
    hidden, layers, heads, kv_heads, inner = SHAPES[shape]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    random = torch.Generator(device).manual_seed(1)

    def matrix(rows: int, columns: int, deviation: float) -> torch.Tensor:
        values = torch.empty(rows, columns, dtype=torch.bfloat16, device=device)
        return values.normal_(0, deviation, generator=random).cpu()

    weights = {"model.embed_tokens.weight": matrix(VOCABULARY, hidden, 1.0)}
    kv = hidden // heads * kv_heads
    for layer in range(layers):
        for name, rows, columns in [
            ("self_attn.q_proj", hidden, hidden),
            ("self_attn.k_proj", kv, hidden),
            ("self_attn.v_proj", kv, hidden),
            ("self_attn.o_proj", hidden, hidden),
            ("mlp.gate_proj", inner, hidden),
            ("mlp.up_proj", inner, hidden),
            ("mlp.down_proj", hidden, inner),
        ]:
            weights[f"model.layers.{layer}.{name}.weight"] = matrix(rows, columns, columns**-0.5)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            weights[f"model.layers.{layer}.{norm}.weight"] = torch.ones(hidden, dtype=torch.bfloat16)
    weights["model.norm.weight"] = torch.ones(hidden, dtype=torch.bfloat16)
    weights["score.weight"] = matrix(1, hidden, hidden**-0.5)

    folder.mkdir(parents=True)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder)
    config = {
        "architectures": ["LlamaForSequenceClassification"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": 4096,
        "vocab_size": VOCABULARY,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "hidden_act": "silu",
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "tie_word_embeddings": False,
        "id2label": {"0": "LABEL_0"},
        "torch_dtype": "bfloat16",
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1))


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))

"""Writes tiny_qwen2 and tiny_linear with Hugging Face's transformers: model
directories as it saves them, and what it computes with them.

    python3 transformers.py

(transformers 5.12.1 and torch 2.14.1, Debian's packages.) The weights are
rounded to the saved type; the arithmetic is float64, but for what transformers
always does in float32: norms, softmax, angles.
"""
import json
import pathlib

import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen2ForSequenceClassification

HERE = pathlib.Path(__file__).parent
SHAPE = dict(
    vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0, attn_implementation="eager",
)


def randomise(model, dtype):
    """Draws all weights, norms and biases too, and rounds them to dtype."""
    g = torch.Generator().manual_seed(20)
    with torch.no_grad():
        for name, p in model.named_parameters():
            scale, centre = (0.3, 1.0) if "norm" in name else (0.5, 0.0) if p.dim() == 1 else (0.25, 0.0)
            p.copy_((torch.randn(p.shape, generator=g) * scale + centre).to(dtype))
    return model.to(dtype)  # the table of angles too, so that this model computes nothing


def measure(model, ids):
    """Logits, mean loss of the next token, and the gradients of that."""
    out = model(input_ids=ids, labels=ids)
    out.loss.backward()
    return {
        "source": f"transformers {transformers.__version__}, torch {torch.__version__}, {type(model).__name__}",
        "tokens": ids.tolist(),
        "logits": [[[round(x, 8) for x in row] for row in text] for text in out.logits.tolist()],
        "loss": out.loss.item(),
        "grads": {n: {"l2": p.grad.norm().item(), "first3": p.grad.flatten()[:3].tolist()} for n, p in model.named_parameters()},
    }


def reward(directory, ids):
    """The value that a random head gives after each text."""
    model = Qwen2ForSequenceClassification.from_pretrained(directory, num_labels=1, dtype=torch.float64, attn_implementation="eager").eval()
    torch.manual_seed(21)
    torch.nn.init.normal_(model.score.weight)
    return {"score": model.score.weight.flatten().tolist(), "values": model(input_ids=ids).logits.flatten().tolist()}


def write(name, model, dtype, ids, shard="1GB"):
    randomise(model, dtype).save_pretrained(HERE / name, max_shard_size=shard)
    values = measure(type(model).from_pretrained(HERE / name, dtype=torch.float64, attn_implementation="eager").eval(), ids)
    if isinstance(model, Qwen2ForCausalLM):
        values["reward"] = reward(HERE / name, ids)
    (HERE / name / "values.json").write_text(json.dumps(values) + "\n")


if __name__ == "__main__":
    texts = torch.randint(3, SHAPE["vocab_size"], (2, 12), generator=torch.Generator().manual_seed(22))
    write("tiny_qwen2", Qwen2ForCausalLM(Qwen2Config(**SHAPE, rope_theta=1e6, tie_word_embeddings=True)), torch.bfloat16, texts)
    linear = {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}
    write("tiny_linear", LlamaForCausalLM(LlamaConfig(**SHAPE, rope_parameters=linear)), torch.float16, texts, shard="24KB")

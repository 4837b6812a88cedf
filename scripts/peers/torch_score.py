#!/usr/bin/env python3
"""Forward only: tokens/s of PyTorch computing the log-probability of every token, with the model of torch_llama.py.

  torch_score.py TORCH_LLAMA.PY [its arguments]

This script executes that file up to the line where it begins to decode or train, and uses its model. The
gathered logit minus logsumexp is the fastest way to the log-probabilities here: log_softmax and
cross_entropy write the logits a second time.
"""
import sys, time

path = sys.argv.pop(1)
source, found, _ = open(path).read().partition("\nif a.decode:")
if not found:
    sys.exit(f"{path} has changed: no line begins with 'if a.decode:'")
exec(compile(source, path, "exec"))  # Llama m, its sizes V, B, T, the arguments a


def log_probs(rows):
    x, y = rows[:, :-1], rows[:, 1:]
    h = m.emb(x)
    for block in m.blocks:
        h = block(h, m.cos[:T], m.sin[:T], m.mask)
    logits = m.head(m.nf(h))
    return logits.gather(-1, y[..., None])[..., 0] - logits.logsumexp(-1)


data = torch.randint(0, V, (a.warmup + a.steps, B, T + 1))
took = []
with torch.inference_mode():
    for rows in data:
        t0 = time.perf_counter()
        log_probs(rows)
        took.append(time.perf_counter() - t0)
took = sorted(took[a.warmup:])
print(f"score fp32: median {B * T / took[len(took) // 2]:.0f} tok/s best {B * T / took[0]:.0f} tok/s")

#!/usr/bin/env python3
"""Runs a peer and reports its speed and memory:

  measure.py WHAT COMMAND...

prints one line: tokens/s of the median step, tokens/s of the fastest, and the peak of resident memory
in bytes. WHAT names the format in which COMMAND reports its speed. It runs inside the root that
shared/bench/setup-peers.sh makes.
"""
import json, re, resource, subprocess, sys


def torch(out):
    """torch_llama.py and torch_score.py print a summary."""
    if "cap=DEFAULT" in out:
        sys.exit("PyTorch runs without vector instructions (cap=DEFAULT): is /proc mounted in the root?")
    return [tuple(map(float, pair)) for pair in re.findall(r"median ([\d.]+) tok/s best ([\d.]+) tok/s", out)]


def torch_decode(out):
    """torch_llama.py --decode B prints only the fastest of five generations."""
    return [(float(x), float(x)) for x in re.findall(r"^decode .*: ([\d.]+) tok/s", out, re.M)]


def llama_decode(out):
    """llama-batched-bench --output-format jsonl prints a line for each generation."""
    return summary([json.loads(line)["speed_tg"] for line in out.splitlines() if line.startswith("{")])


def llama_sample(out):
    """The same, over the time of the prompt and the generation."""
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    return summary([line["pl"] * line["tg"] / line["t"] for line in lines])


def llama_finetune(out, row=256, step=2048):
    """llama-finetune -c 256 logs the time, min.s.ms.us, of every row of 256 tokens. Returns the rate of every 2,048 tokens after the first."""
    stamps = re.findall(r"^(\d+)\.(\d+)\.(\d+)\.(\d+) I epoch", out, re.M)
    seconds = [int(m) * 60 + int(s) + int(ms) / 1e3 + int(us) / 1e6 for m, s, ms, us in stamps][step // row - 1::step // row]
    return summary([step / (b - a) for a, b in zip(seconds, seconds[1:])])


def llmc(out):
    """llmc_train prints a line for each step; the first three are warm-up."""
    return summary([float(x) for x in re.findall(r"^step \d+: ([\d.]+) tok/s", out, re.M)][3:])


def summary(rates):
    rates.sort(reverse=True)
    return [(rates[len(rates) // 2], rates[0])] if rates else []


def main(what, *command):
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    out = run.stdout.replace("\r", "\n")
    found = {f.__name__: f for f in (torch, torch_decode, llama_decode, llama_sample, llama_finetune, llmc)}[what](out)
    if run.returncode or len(found) != 1:
        sys.exit(f"{out[-3000:]}\nmeasure.py: {' '.join(command)} ended with {run.returncode} and {len(found)} results, expected 0 and 1")
    print(*(f"{x:.1f}" for x in found[0]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)


if len(sys.argv) < 3:
    sys.exit(__doc__)
main(*sys.argv[1:])

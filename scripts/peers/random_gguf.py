#!/usr/bin/env python3
"""Writes a Llama with random weights, to measure llama.cpp with.

  random_gguf.py FILE fp32|bf16|q8_0 D LAYERS HEADS KVHEADS FFN VOCAB

The format is GGUF version 3 (ggml/docs/gguf.md): header, metadata, tensor descriptions, data. The head is
tied: there is no output.weight. The vocabulary is the minimum for llama.cpp's SentencePiece tokenizer (three
control tokens and the 256 bytes), padded with words that no text contains. So every byte of a text is one
token.
"""
import struct, sys
import numpy as np

UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9  # of metadata
F32, Q8_0, BF16 = 0, 8, 30  # of tensors
BLOCK = 32  # of numbers with one scale, in Q8_0
ALIGNMENT = 32
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # kinds of token


def string(s):
    b = s.encode()
    return struct.pack("<Q", len(b)) + b


def value(kind, v):
    if kind == STRING:
        return string(v)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f"}[kind], v)


def scalar(key, kind, v):
    return string(key) + struct.pack("<I", kind) + value(kind, v)


def array(key, kind, items):
    return string(key) + struct.pack("<IIQ", ARRAY, kind, len(items)) + b"".join(value(kind, v) for v in items)


def metadata(precision, d, layers, heads, kv, ffn, vocab):
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    kinds = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    if vocab < len(tokens):
        sys.exit(f"a vocabulary of {vocab} has no room for the {len(tokens)} tokens that llama.cpp needs")
    rest = vocab - len(tokens)
    return [
        scalar("general.architecture", STRING, "llama"),
        scalar("general.file_type", UINT32, {"fp32": 0, "q8_0": 7, "bf16": 32}[precision]),
        scalar("llama.block_count", UINT32, layers),
        scalar("llama.context_length", UINT32, 8192),
        scalar("llama.embedding_length", UINT32, d),
        scalar("llama.feed_forward_length", UINT32, ffn),
        scalar("llama.attention.head_count", UINT32, heads),
        scalar("llama.attention.head_count_kv", UINT32, kv),
        scalar("llama.attention.layer_norm_rms_epsilon", FLOAT32, 1e-5),
        scalar("llama.rope.dimension_count", UINT32, d // heads),
        scalar("llama.rope.freq_base", FLOAT32, 10000),
        scalar("llama.vocab_size", UINT32, vocab),
        scalar("tokenizer.ggml.model", STRING, "llama"),
        scalar("tokenizer.ggml.unknown_token_id", UINT32, 0),
        scalar("tokenizer.ggml.bos_token_id", UINT32, 1),
        scalar("tokenizer.ggml.eos_token_id", UINT32, 2),
        array("tokenizer.ggml.tokens", STRING, tokens + [f"\x01{i}" for i in range(rest)]),
        array("tokenizer.ggml.scores", FLOAT32, [0.0] * vocab),
        array("tokenizer.ggml.token_type", INT32, kinds + [NORMAL] * rest),
    ]


def shapes(d, layers, heads, kv, ffn, vocab):
    """Names and shapes of the tensors; a matrix [out, in] is listed with in first, as ggml counts dimensions."""
    wide = d // heads * kv
    yield "token_embd.weight", (d, vocab)
    for i in range(layers):
        yield f"blk.{i}.attn_norm.weight", (d,)
        yield f"blk.{i}.attn_q.weight", (d, d)
        yield f"blk.{i}.attn_k.weight", (d, wide)
        yield f"blk.{i}.attn_v.weight", (d, wide)
        yield f"blk.{i}.attn_output.weight", (d, d)
        yield f"blk.{i}.ffn_norm.weight", (d,)
        yield f"blk.{i}.ffn_gate.weight", (d, ffn)
        yield f"blk.{i}.ffn_up.weight", (d, ffn)
        yield f"blk.{i}.ffn_down.weight", (ffn, d)
    yield "output_norm.weight", (d,)


def draw(rng, shape, kind):
    """Bytes of a tensor: ones for a norm, else normal with deviation 0.02, as float32, its upper half, or blocks of int8."""
    if len(shape) == 1:
        return np.ones(shape, np.float32).tobytes()
    x = rng.standard_normal(shape[0] * shape[1], np.float32) * np.float32(0.02)
    if kind == Q8_0:
        blocks = x.reshape(-1, BLOCK)
        scale = np.abs(blocks).max(axis=1, keepdims=True) / 127
        steps = np.round(blocks / scale).astype(np.int8).view(np.uint8)
        return np.hstack([scale.astype(np.float16).view(np.uint8), steps]).tobytes()
    return x.tobytes() if kind == F32 else (x.view(np.uint32) >> 16).astype(np.uint16).tobytes()


def main(path, precision, *shape):
    shape = [int(n) for n in shape]
    meta, tensors = metadata(precision, *shape), []
    rng, offset = np.random.default_rng(0), 0
    for name, dims in shapes(*shape):
        kind = {"fp32": F32, "q8_0": Q8_0, "bf16": BF16}[precision] if len(dims) > 1 else F32
        data = draw(rng, dims, kind)
        data += bytes(-len(data) % ALIGNMENT)
        head = string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)
        tensors.append((head, data))
        offset += len(data)
    with open(path, "wb") as f:
        f.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(meta)) + b"".join(meta) + b"".join(h for h, _ in tensors))
        f.write(bytes(-f.tell() % ALIGNMENT))
        for _, data in tensors:
            f.write(data)


if len(sys.argv) != 9:
    sys.exit(__doc__)
main(*sys.argv[1:])

// openai.sh runs this. Each check asserts something that a client of OpenAI's API relies on.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import OpenAI from "openai";

const { HERD, URL, KEY } = process.env;
const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: "a secret question" }];
const base = { model: "one", messages, seed: 7, max_tokens: 24 };
const chat = (more) => client.chat.completions.create({ ...base, ...more });

async function post(path, body) {
	const headers = { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" };
	const response = await fetch(URL + path, { method: "POST", headers, body: JSON.stringify(body) });
	return response.json();
}

async function collect(stream) {
	const texts = [], finish = [], chunks = [];
	for await (const chunk of stream) {
		chunks.push(chunk);
		for (const c of chunk.choices) {
			texts[c.index] = (texts[c.index] ?? "") + (c.delta?.content ?? c.text ?? "");
			if (c.finish_reason) finish[c.index] = c.finish_reason;
		}
	}
	return { texts, finish, chunks, usage: chunks.at(-1).usage };
}

async function refused(type, status, promise, want) {
	const err = await promise.then(() => assert.fail("was not refused"), (e) => e);
	assert.ok(err instanceof type, `${err}`);
	assert.equal(err.status, status);
	for (const [key, value] of Object.entries(want)) assert.equal(err[key], value, `${key} of ${err}`);
	return err;
}

const checks = {
	async models() {
		const names = [];
		for await (const m of client.models.list()) names.push(m.id);
		assert.deepEqual(names, ["one", "two"]);
		assert.equal((await client.models.retrieve("two")).id, "two");
	},

	async "a chat and its usage"() {
		const a = await chat({ logprobs: true });
		assert.equal(a.object, "chat.completion");
		assert.equal(a.choices[0].message.role, "assistant");
		assert.match(a.choices[0].finish_reason, /^(stop|length)$/);
		assert.match(a.system_fingerprint, /^fp_/);
		const prompt = await post("/tokenize", { model: "one", messages });
		assert.deepEqual(a.usage, {
			prompt_tokens: prompt.count, completion_tokens: a.choices[0].logprobs.content.length,
			total_tokens: prompt.count + a.choices[0].logprobs.content.length,
		});
	},

	async "a stream equals the whole answer"() {
		for (const seed of [1, 2, 3, 4, 5, 6]) {
			const whole = await chat({ seed, n: 2 });
			const s = await collect(await chat({ seed, n: 2, stream: true, stream_options: { include_usage: true } }));
			assert.deepEqual(s.texts, whole.choices.map((c) => c.message.content));
			assert.deepEqual(s.finish, whole.choices.map((c) => c.finish_reason));
			assert.deepEqual(s.usage, whole.usage);
			assert.deepEqual(s.chunks.at(-1).choices, []);
			assert.ok(s.chunks.slice(0, -1).every((c) => c.usage === null && c.object === "chat.completion.chunk"));
			assert.equal(s.chunks[0].choices[0].delta.role, "assistant");
		}
	},

	async "the client's own stream helper"() {
		const final = await client.chat.completions.stream({ ...base }).finalChatCompletion();
		assert.equal(final.choices[0].message.content, (await chat()).choices[0].message.content);
	},

	async "answer k uses seed + k, as herd generate does"() {
		const four = await chat({ n: 4, messages: messages.slice(1) });
		assert.deepEqual(four.choices.map((c) => c.index), [0, 1, 2, 3]);
		const lines = execFileSync(HERD, ["generate", "--model", "one", "--chat", "--prompt", messages[1].content, "-n", "4",
			"--seed", "7", "--temperature", "1", "--max-tokens", "24", "--json"], { encoding: "utf8" }).trim().split("\n");
		assert.deepEqual(four.choices.map((c) => c.message.content), lines.map((l) => JSON.parse(l).text.toWellFormed()));
		assert.ok(new Set(four.choices.map((c) => c.message.content)).size > 1);
	},

	async "without a seed, answers differ and the header has the seed"() {
		const { data, response } = await chat({ seed: undefined }).withResponse();
		const again = await chat({ seed: Number(response.headers.get("x-seed")) });
		assert.equal(again.choices[0].message.content, data.choices[0].message.content);
		const other = await chat({ seed: undefined });
		assert.notEqual(other.choices[0].message.content, data.choices[0].message.content);
	},

	async logprobs() {
		const a = (await chat({ logprobs: true, top_logprobs: 3, temperature: 0 })).choices[0];
		const bytes = Buffer.from(a.logprobs.content.flatMap((t) => t.bytes));
		assert.equal(bytes.toString("utf8"), a.message.content);
		for (const t of a.logprobs.content) {
			assert.ok(t.logprob <= 0);
			assert.equal(t.top_logprobs.length, 3);
			assert.equal(t.top_logprobs[0].token, t.token, "temperature 0 takes the likeliest");
			assert.ok(t.top_logprobs[1].logprob <= t.top_logprobs[0].logprob);
		}
		const s = await collect(await chat({ logprobs: true, top_logprobs: 3, temperature: 0, stream: true }));
		assert.deepEqual(s.chunks.flatMap((c) => c.choices[0].logprobs?.content ?? []), a.logprobs.content);
	},

	async stop() {
		const text = (await chat({ temperature: 0 })).choices[0].message.content;
		const [, stop] = text.match(/^[^]{4,}?([a-z]{2})/);
		const a = (await chat({ temperature: 0, stop: ["\u0001", stop] })).choices[0];
		assert.equal(a.message.content, text.slice(0, text.indexOf(stop)));
		assert.equal(a.finish_reason, "stop");
		const s = await collect(await chat({ temperature: 0, stop, stream: true }));
		assert.equal(s.texts[0], a.message.content);
	},

	async "completions of texts and of ids"() {
		const texts = ["the herd", "a river runs"];
		const ids = await Promise.all(texts.map(async (prompt) => (await post("/tokenize", { prompt })).tokens));
		const ask = (prompt, more) => client.completions.create({ model: "one", prompt, seed: 3, max_tokens: 10, n: 2, ...more });
		const all = (await ask(texts)).choices.map((c) => c.text);
		assert.equal(all.length, 4);
		assert.deepEqual((await ask(ids)).choices.map((c) => c.text), all);
		assert.deepEqual((await ask(texts[1])).choices.map((c) => c.text), all.slice(2));
		assert.deepEqual((await ask(ids[0])).choices.map((c) => c.text), all.slice(0, 2));
		assert.deepEqual((await ask(texts, { echo: true })).choices.map((c) => c.text), all.map((t, i) => texts[i >> 1] + t));
		assert.deepEqual((await collect(await ask(texts, { stream: true, echo: true }))).texts, all.map((t, i) => texts[i >> 1] + t));
		assert.ok((await client.completions.create({ model: "one", prompt: "the" })).usage.completion_tokens <= 16);
	},

	async "log-probabilities of completions"() {
		const ask = (more) => client.completions.create({ model: "one", prompt: "the", temperature: 0.5, seed: 3, max_tokens: 10, logprobs: 2, ...more });
		const { text, logprobs: l } = (await ask()).choices[0];
		assert.ok(l.tokens.length > 0 && l.token_logprobs.length === l.tokens.length && l.top_logprobs.length === l.tokens.length);
		assert.equal(l.text_offset[0], 0);
		assert.ok(!text.includes("\ufffd"), "bytes that are no characters have no offsets to compare");
		l.tokens.forEach((t, i) => {
			assert.equal(l.top_logprobs[i][t], l.token_logprobs[i]);
			assert.ok([2, 3].includes(Object.keys(l.top_logprobs[i]).length));
			if (!t.startsWith("<|")) assert.equal([...text].slice(l.text_offset[i]).join("").slice(0, t.length), t);
		});
		const s = await collect(await ask({ stream: true }));
		const pieces = s.chunks.map((c) => c.choices[0].logprobs).filter(Boolean);
		for (const key of ["tokens", "token_logprobs", "top_logprobs", "text_offset"]) assert.deepEqual(pieces.flatMap((p) => p[key]), l[key]);
	},

	async embeddings() {
		const input = ["the herd", "a river"];
		const packed = await client.embeddings.create({ model: "one", input });
		const plain = await client.embeddings.create({ model: "one", input, encoding_format: "float" });
		assert.equal(packed.data.length, 2);
		packed.data.forEach((d, i) => {
			assert.equal(d.embedding.length, 64);
			assert.ok(Math.abs(Math.hypot(...d.embedding) - 1) < 1e-5);
			d.embedding.forEach((x, j) => assert.equal(x, Math.fround(plain.data[i].embedding[j])));
		});
		assert.notDeepEqual(packed.data[0].embedding, packed.data[1].embedding);
		assert.ok(packed.usage.prompt_tokens > 2);
	},

	async "tokens round trip"() {
		const prompt = "the herd <|eot_id|> é";
		const { tokens, count } = await post("/tokenize", { content: prompt });
		assert.equal(count, tokens.length);
		assert.equal((await post("/detokenize", { tokens })).content, prompt);
		const { tokens: pieces } = await post("/tokenize", { content: "é", with_pieces: true });
		assert.deepEqual(Buffer.from(pieces.flatMap((p) => (typeof p.piece === "string" ? [...Buffer.from(p.piece)] : p.piece))).toString(), "é");
	},

	async "errors name the fault"() {
		const { AuthenticationError, BadRequestError, NotFoundError } = OpenAI;
		const stranger = new OpenAI({ baseURL: `${URL}/v1`, apiKey: "wrong", maxRetries: 0 });
		await refused(AuthenticationError, 401, stranger.models.list(), { code: "invalid_api_key" });
		await refused(NotFoundError, 404, chat({ model: "three" }), { code: "model_not_found", param: "model" });
		await refused(NotFoundError, 404, client.models.retrieve("three"), { code: "model_not_found" });
		const tools = [{ type: "function", function: { name: "f", parameters: {} } }];
		const image = [{ role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] }];
		for (const [more, param, code] of [
			[{ tools }, "tools", "unsupported_parameter"],
			[{ response_format: { type: "json_object" } }, "response_format", "unsupported_parameter"],
			[{ logit_bias: { 5: 1 } }, "logit_bias", "unsupported_parameter"],
			[{ temprature: 1 }, "temprature", "unknown_parameter"],
			[{ temperature: -1 }, "temperature", "invalid_value"],
			[{ top_p: 1.5 }, "top_p", "invalid_value"],
			[{ n: 0 }, "n", "invalid_value"],
			[{ max_tokens: "many" }, "max_tokens", "invalid_value"],
			[{ max_tokens: 5000 }, "max_tokens", "context_length_exceeded"],
			[{ top_logprobs: 2 }, "top_logprobs", "invalid_value"],
			[{ stop: "" }, "stop", "invalid_value"],
			[{ messages: [] }, "messages", "invalid_value"],
			[{ messages: [{ role: "asistant", content: "x" }] }, "messages[0].role", "invalid_value"],
			[{ messages: image }, "messages[0].content[0].type", "invalid_value"],
			[{ messages: [{ role: "user", content: "word ".repeat(5000) }] }, "messages", "context_length_exceeded"],
		]) await refused(BadRequestError, 400, chat(more), { param, code, type: "invalid_request_error" });
		await refused(OpenAI.APIError, 413, chat({ messages: [{ role: "user", content: "x".repeat(3 << 20) }] }), { code: "body_too_large" });
	},

	async "parameters that ask for nothing are accepted"() {
		await chat({ user: "me", metadata: { a: "b" }, store: false, logit_bias: {}, tools: [], response_format: { type: "text" }, tool_choice: "none" });
	},

	async "requests beyond the limit get Retry-After, and succeed later"() {
		const many = (retries) => Promise.allSettled(Array.from({ length: 24 }, (_, seed) =>
			client.chat.completions.create({ ...base, seed, max_tokens: 1500, ignore_eos: true }, { maxRetries: retries })));
		const failed = (await many(0)).filter((r) => r.status === "rejected").map((r) => r.reason);
		assert.ok(failed.length > 0, "no request was refused");
		for (const e of failed) {
			assert.ok(e instanceof OpenAI.RateLimitError, `${e}`);
			assert.ok(Number(e.headers.get("retry-after")) > 0);
		}
		assert.deepEqual((await many(20)).filter((r) => r.status === "rejected"), []);
	},

	async "the server stops answering a client that left"() {
		const stream = await chat({ stream: true, max_tokens: 1500, ignore_eos: true });
		for await (const _ of stream) break; // aborts
		for (let i = 0; ; i++) {
			const headers = { Authorization: `Bearer ${KEY}` };
			const text = await (await fetch(`${URL}/metrics`, { headers })).text();
			if (/herd_answers_running\{model="one"\} 0\n/.test(text) && /endpoint="\/v1\/chat\/completions",code="499"/.test(text)) break;
			assert.ok(i < 100, text);
			await new Promise((r) => setTimeout(r, 100));
		}
	},
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
	try {
		await check();
		console.log(`ok    ${name}`);
	} catch (err) {
		failed++;
		console.log(`WRONG ${name}: ${err.stack}`);
	}
}
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

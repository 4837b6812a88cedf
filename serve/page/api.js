// The server's API, as far as the page needs it.

export class Failure extends Error {
	constructor(status, message, code) {
		super(message);
		Object.assign(this, { status, code });
	}
}

// ask sends a request with the key, and throws a Failure that says what is wrong.
export async function ask(path, key, body, signal) {
	const headers = key ? { Authorization: `Bearer ${key}` } : {};
	const options = { headers, signal };
	if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body), headers: { ...headers, "Content-Type": "application/json" } });
	let response;
	try {
		response = await fetch(path, options);
	} catch (err) {
		if (signal?.aborted) throw err;
		throw new Failure(0, "The server cannot be reached.");
	}
	if (response.ok) return response;
	const told = await response.json().catch(() => null);
	const after = response.headers.get("Retry-After");
	throw new Failure(response.status, (told?.error?.message ?? `The server answered with status ${response.status}.`) + (after ? ` (in ${after} s)` : ""), told?.error?.code);
}

// events yields what a stream of server-sent events says, until its end mark.
async function* events(response) {
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = "";
	for (;;) {
		const { done, value } = await reader.read();
		if (done) throw new Failure(0, "The answer broke off.");
		const lines = (rest + value).split("\n");
		rest = lines.pop();
		for (const line of lines) {
			if (!line.startsWith("data: ")) continue;
			if (line === "data: [DONE]") return;
			const event = JSON.parse(line.slice(6));
			if (event.error) throw new Failure(0, event.error.message);
			yield event;
		}
	}
}

// answer calls told with what comes of an answer, and returns how it ended.
export async function answer(request, key, signal, told) {
	const response = await ask("v1/chat/completions", key, { ...request, stream: true, stream_options: { include_usage: true } }, signal);
	const end = { seed: response.headers.get("X-Seed"), finish: "", tokens: 0, rate: 0 };
	let first = 0, last = 0;
	for await (const event of events(response)) {
		if (event.usage) end.tokens = event.usage.completion_tokens;
		const choice = event.choices[0];
		if (!choice) continue;
		last = performance.now();
		first ||= last;
		if (choice.finish_reason) end.finish = choice.finish_reason;
		if (choice.delta.content) told(choice.delta.content);
	}
	if (last > first && end.tokens > 1) end.rate = (1000 * (end.tokens - 1)) / (last - first);
	return end;
}

// Prints the results of llama.cpp on GGUF files, a line of JSON each. It runs llama.cpp
// through node-llama-cpp.
//
//	node llamacpp.mjs greedy MODEL PROMPT N     N ids after the prompt, the likeliest each
//	node llamacpp.mjs tokenize MODEL FILE...    the ids of each file, without special tokens
import {readFileSync} from "node:fs";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const [verb, path, ...rest] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error});
const model = await llama.loadModel({modelPath: path});

if (verb === "greedy") {
	const [prompt, n] = [rest[0], Number(rest[1])];
	// herd keeps keys and values in float32. Half precision would change the tokens of random models.
	const exact = {flashAttention: false, experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32"};
	const context = await model.createContext({contextSize: 512, threads: 1, ...exact});
	const begin = [model.tokens.bos, ...model.tokenize(prompt)];
	const ids = [];
	for await (const id of context.getSequence().evaluate(begin, {temperature: 0})) {
		if (ids.push(id) === n) break;
	}
	console.log(JSON.stringify(ids));
} else {
	for (const file of rest) console.log(JSON.stringify(model.tokenize(readFileSync(file, "utf8"))));
}
process.exit(0);

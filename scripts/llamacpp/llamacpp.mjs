// What llama.cpp makes of GGUF files, as a line of JSON each. It runs through
// node-llama-cpp, which carries llama.cpp's programs.
//
//	node llamacpp.mjs greedy MODEL PROMPT N     the prompt's ids and N more, the likeliest each
//	node llamacpp.mjs tokenize MODEL FILE...    the ids of each file, without special tokens
import {readFileSync} from "node:fs";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const [verb, path, ...rest] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error});
const model = await llama.loadModel({modelPath: path});

if (verb === "greedy") {
	const [prompt, n] = [rest[0], Number(rest[1])];
	// herd keeps keys and values in float32: halves would show in the tokens of random models.
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

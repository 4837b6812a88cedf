#!/usr/bin/env bash
# Compares core/text/jinja with Jinja 2 on the chat templates of real models:
#
#	bash scripts/parity/templates.sh [FILE.jinja...]
#
# Without files it takes those in core/text/template/templates and the templates of some
# fifty models from the end-to-end tests of @huggingface/jinja, which it fetches. It
# needs Node, Python with jinja2 3.1, and the network. (The package @huggingface/jinja
# itself is no reference: it differs from Jinja 2 in places.) Set HERD_JINJA_TESTS to
# another URL of the tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
tests=${HERD_JINJA_TESTS:-https://raw.githubusercontent.com/huggingface/huggingface.js/main/packages/jinja/test/e2e.test.js}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
files=("$@")
if ((${#files[@]} == 0)); then
	files=(core/text/template/templates/*.jinja)
	curl -fsSL -o "$tmp/models.js" "$tests"
fi

cat >"$tmp/extract.mjs" <<'EOF'
import fs from 'node:fs';
const [models, ...files] = process.argv.slice(2);
const templates = files.map((file) => ({ name: file, template: fs.readFileSync(file, 'utf8'), contexts: [] }));
if (fs.existsSync(models)) {
	// The constants of the tests, up to their first function.
	const text = fs.readFileSync(models, 'utf8').split(/^function /m)[0].replace(/^import.*$/gm, '');
	const names = [...text.matchAll(/^const (\w+)/gm)].map((m) => m[1]);
	const all = new Function(`${text}; return {${names}}`)();
	for (const [group, list] of Object.entries(all)) {
		if (!group.endsWith('_TEMPLATES')) continue;
		for (const [name, t] of Object.entries(list)) templates.push({ name, template: t.chat_template, contexts: [t.data] });
	}
}
console.log(JSON.stringify(templates));
EOF
cat >"$tmp/render.py" <<'EOF'
import json, sys
from reference import rendered

def say(role, content): return {"role": role, "content": content}
system, user, answer = say("system", " Be brief. "), say("user", "Hi é\n there <|im_end|> "), say("assistant", " \nhello {{x}} 'q'\n")
tool = {"type": "function", "function": {"name": "f", "description": 'do <f> & "g"', "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}}
chats = [[user], [user, answer], [system, user], [system, user, answer, user, answer], [user, answer, user], [answer], [system], []]
cases = []
for t in json.load(sys.stdin):
    contexts = t.pop("contexts")
    for messages in chats:
        for prompt in (False, True):
            for tools in (None, [tool]):
                contexts.append(dict(messages=messages, tools=tools, add_generation_prompt=prompt, bos_token="<s>", eos_token="</s>"))
    cases += [{**t, "context": c, **rendered(t["template"], c)} for c in contexts]
json.dump({"cases": cases}, sys.stdout)
EOF
node "$tmp/extract.mjs" "$tmp/models.js" "${files[@]}" |
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=core/text/jinja/testdata python3 "$tmp/render.py" >"$tmp/cases.json"
go test -count=1 -v ./core/text/jinja -run TestTemplates -templates "$tmp/cases.json"

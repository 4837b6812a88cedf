// Texts as nodes: nothing in them is ever read as HTML.

// show puts text into node; what stands between lines of ``` is code.
export function show(node, text) {
	const parts = text.split(/^```[^\n`]*(?:\n|$)/m);
	node.replaceChildren(...parts.map((part, i) => (i % 2 ? code(part) : document.createTextNode(part))));
}

function code(text) {
	return make("pre", "", make("code", "", text.replace(/\n$/, "")));
}

// make returns an element with a class and children.
export function make(tag, name, ...children) {
	const node = document.createElement(tag);
	if (name) node.className = name;
	node.append(...children);
	return node;
}

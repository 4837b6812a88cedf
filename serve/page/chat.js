// The page: one or two panes, what is said to both, and what is kept in the browser.
import { ask } from "./api.js";
import { Pane } from "./pane.js";

const at = (id) => document.getElementById(id);
const [panesNode, composer, text, send, compare, locked] = ["panes", "composer", "text", "send", "compare", "locked"].map(at);

const blank = () => ({ settings: {}, messages: [] });
const state = load();
const page = {
	models: [],
	key: () => state.key,
	save,
	changed() {
		const busy = panes.some((p) => p.busy);
		send.textContent = busy ? "Stop" : "Send";
		compare.disabled = at("fresh").disabled = busy;
		save();
	},
	fail(err, message) {
		message.problem = err.message;
		if (err.status === 401) unlock();
	},
};
let panes = [];

function load() {
	const fresh = { compare: false, key: "", panes: [blank(), blank()] };
	try {
		const kept = JSON.parse(localStorage.getItem("herd-chat"));
		return kept?.panes?.length === 2 ? { ...fresh, ...kept } : fresh;
	} catch {
		return fresh;
	}
}

function save() {
	try {
		localStorage.setItem("herd-chat", JSON.stringify(state));
	} catch {
		// It is full, or switched off: the conversation lasts as long as the page.
	}
}

function show() {
	compare.checked = state.compare;
	panes = state.panes.slice(0, state.compare ? 2 : 1).map((s) => new Pane(s, page));
	panesNode.replaceChildren(...panes.map((p) => p.node));
	page.changed();
}

// refresh asks which models there are.
async function refresh() {
	const problem = at("problem");
	problem.textContent = "";
	try {
		page.models = (await (await ask("v1/models", state.key)).json()).data;
	} catch (err) {
		problem.textContent = err.message;
		if (err.status === 401) unlock();
	}
	if (page.models.length > 1 && !state.panes[1].settings.model) state.panes[1].settings.model = page.models[1].id;
	show();
}

function unlock() {
	if (locked.open) return;
	at("key").value = "";
	locked.showModal();
}

function stop() {
	for (const p of panes) p.stop();
}

function say() {
	const said = text.value;
	if (!said.trim() || panes.some((p) => p.busy)) return;
	text.value = "";
	grow();
	for (const p of panes) p.say(said);
}

// grow makes the field as high as what is in it.
function grow() {
	text.rows = Math.min(10, text.value.split("\n").length);
}

composer.addEventListener("submit", (e) => {
	e.preventDefault();
	if (panes.some((p) => p.busy)) stop();
	else say();
});
text.addEventListener("input", grow);
text.addEventListener("keydown", (e) => {
	if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
	e.preventDefault();
	say();
});
document.addEventListener("keydown", (e) => {
	if (e.key === "Escape" && !locked.open) stop();
});
compare.addEventListener("change", () => {
	state.compare = compare.checked;
	show(); // each pane has its own conversation: no model's answers stand under another's name
});
at("fresh").addEventListener("click", () => {
	for (const p of state.panes) [p.messages, p.left] = [[], 0];
	show();
	text.focus();
});
locked.addEventListener("close", () => {
	state.key = at("key").value || state.key;
	save();
	refresh();
});

refresh();

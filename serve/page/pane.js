// A conversation with one model under one set of settings.
import { answer } from "./api.js";
import { make, show } from "./text.js";

export class Pane {
	// state is kept by the page: {settings, messages}; page has models, key, save, fail.
	constructor(state, page) {
		Object.assign(this, { state, page, stopper: null });
		this.node = document.getElementById("pane").content.firstElementChild.cloneNode(true);
		this.list = this.node.querySelector(".messages");
		this.fields = [...this.node.querySelectorAll("[data-name]")];
		for (const field of this.fields) {
			field.addEventListener("change", () => this.changed(field));
		}
		this.fill();
		this.draw();
	}

	get busy() { return this.stopper !== null; }

	// fill shows the settings, and the models that there are.
	fill() {
		const { models } = this.page, { settings } = this.state;
		const select = this.node.querySelector("select");
		select.replaceChildren(...models.map((m) => new Option(m.chat ? m.id : `${m.id} (no chat template)`, m.id)));
		if (!models.some((m) => m.id === settings.model)) settings.model = (models.find((m) => m.chat) ?? models[0])?.id ?? "";
		for (const field of this.fields) field.value = settings[field.dataset.name] ?? "";
		this.node.querySelector("details").open = models.length > 1 && !this.state.messages.length;
		this.title();
	}

	changed(field) {
		this.state.settings[field.dataset.name] = field.value;
		this.title();
		this.page.save();
	}

	title() {
		const { model, temperature, seed } = this.state.settings;
		const more = [temperature && `temperature ${temperature}`, seed && `seed ${seed}`].filter(Boolean).join(", ");
		this.node.querySelector(".name").textContent = model + (more ? ` (${more})` : "");
		this.node.querySelector(".digest").textContent = this.page.models.find((m) => m.id === model)?.system_fingerprint ?? "";
	}

	draw() {
		this.list.replaceChildren(...this.state.messages.map((m, i) => this.item(m, i === this.state.messages.length - 1)));
		if (!this.state.messages.length) this.list.append(make("li", "empty", "Say something."));
		this.list.scrollTop = this.list.scrollHeight;
	}

	item(message, last) {
		const text = make("div", "text");
		show(text, message.content);
		if (message.role === "user") return make("li", "user", text);
		const note = make("div", "note", make("span", "", message.note ?? ""));
		const item = make("li", "assistant", text, make("p", "problem", message.problem ?? ""), note);
		if (last && !this.busy) {
			const again = make("button", "again", message.problem ? "Try again" : "Regenerate");
			again.type = "button";
			again.addEventListener("click", () => this.regenerate());
			note.append(again);
		}
		return item;
	}

	say(text) {
		this.state.messages.push({ role: "user", content: text });
		return this.go();
	}

	regenerate() {
		if (this.busy) return;
		this.state.messages.pop();
		return this.go();
	}

	stop() { this.stopper?.abort(); }

	// forget leaves the oldest question and answer out of what the model sees. It returns false if
	// only the latest question is left.
	forget() {
		const { messages, left = 0 } = this.state;
		if (left + 2 > messages.length - 2) return false; // the last message is the answer to come
		this.state.left = left + 2;
		return true;
	}

	request() {
		const { settings, messages, left = 0 } = this.state;
		const request = { model: settings.model, messages: messages.slice(left, -1).filter((m) => !m.problem).map(({ role, content }) => ({ role, content })) };
		if (settings.system) request.messages.unshift({ role: "system", content: settings.system });
		for (const name of ["temperature", "top_p", "top_k", "min_p", "max_tokens", "seed"]) {
			if (settings[name]) request[name] = Number(settings[name]);
		}
		return request;
	}

	// go has the model answer; what it says is shown as it comes.
	async go() {
		const message = { role: "assistant", content: "" };
		this.state.messages.push(message);
		this.stopper = new AbortController();
		const { signal } = this.stopper;
		this.page.changed();
		this.draw();
		const item = this.list.lastElementChild, text = item.querySelector(".text");
		item.classList.add("writing");
		try {
			const end = await this.ask(signal, (piece) => {
				message.content += piece;
				this.follow(() => show(text, message.content));
			});
			message.note = told(end);
			if (this.state.left) message.note += " \u00b7 the model no longer sees the oldest turns";
		} catch (err) {
			if (signal.aborted) message.note = "stopped";
			else this.page.fail(err, message);
		}
		this.stopper = null;
		this.draw();
		this.page.changed();
	}

	// ask leaves out the oldest turns until the conversation fits the model's context.
	async ask(signal, shown) {
		for (;;) {
			const request = this.request();
			try {
				return await answer(request, this.page.key(), signal, shown);
			} catch (err) {
				if (err.code !== "context_length_exceeded" || !this.forget()) throw err;
			}
		}
	}

	// follow keeps the end in sight, if it was.
	follow(change) {
		const { list } = this;
		const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
		change();
		if (atEnd) list.scrollTop = list.scrollHeight;
	}
}

function told({ tokens, rate, finish, seed }) {
	const parts = [`${tokens} tokens`];
	if (rate) parts.push(`${rate.toFixed(1)} tokens/s`);
	if (finish === "length") parts.push("cut off at the longest allowed");
	parts.push(`seed ${seed}`);
	return parts.join(" \u00b7 ");
}

// The chat tab's X-ray. js_on_load of gr.HTML; `props.value` says what there is (see view() in ui/chat_tree.py). Tokens come
// as texts of JSON, a new one with each update, and become elements by textContent alone. A token is
// [text, p, drawn, entropy, rank, ends, which of the alternatives it is, [[text, p, drawn, ends], ...]].
// What is pressed is sent as numbers: of a branch, of a token, of an alternative.

const DARKEST = 7; // bits of surprise at which a token is shaded most
const OPEN_MS = 70; // a pointer that only passes opens nothing
const CLOSE_MS = 220; // the way from a token to its card
const SVG = "http://www.w3.org/2000/svg";

const root = () => element.querySelector(".pm-xray");
const part = (name) => element.querySelector(`.pm-${name}`);
const make = (kind, name, text) => {
	const one = document.createElement(kind);
	if (name) one.className = name;
	if (text !== undefined) one.textContent = text;
	return one;
};

let told = { state: "off" };
let panes = [];
let open = null; // { pane, n, pinned }
let timer = 0;

const percent = (p) => {
	if (p >= 0.9995) return "100 %";
	if (p >= 0.1) return `${Math.round(p * 100)} %`;
	if (p >= 0.001) return `${(p * 100).toFixed(1)} %`;
	return p > 0 ? "< 0.1 %" : "0";
};
const bits = (p) => -Math.log2(Math.max(p, 1e-12));
const named = (text, ends) => (ends ? "■ end" : text === "" ? "part of a letter" : text);
const visible = (text) => text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "·");

// --- Tokens and their trace ---------------------------------------------------------------------------------------------

const makePane = (facts) => {
	const box = make("section", "pm-pane");
	const pane = { id: facts.id, branch: facts.branch, tokens: [], batches: 0, box, letter: facts.letter };
	pane.figures = make("dl", "pm-figures");
	pane.trace = document.createElementNS(SVG, "svg");
	pane.trace.setAttribute("class", "pm-trace");
	pane.trace.setAttribute("preserveAspectRatio", "none");
	pane.trace.setAttribute("role", "img");
	for (const name of ["area", "spikes", "line", "at"]) {
		pane[name] = pane.trace.appendChild(document.createElementNS(SVG, "path"));
		pane[name].setAttribute("class", `pm-trace-${name}`);
	}
	pane.list = make("div", "pm-tokens");
	pane.list.setAttribute("role", "listbox");
	pane.list.setAttribute("aria-label", `Tokens of the answer${told.ways.length ? `, branch ${facts.letter}` : ""}`);
	box.append(pane.figures, pane.trace, pane.list);
	return pane;
};

const addToken = (pane, token) => {
	const [text, p, , , rank, ends] = token;
	const span = make("span", "pm-token", ends ? "■ end" : text.replaceAll("\n", "⏎\n"));
	span.setAttribute("role", "option");
	span.tabIndex = pane.tokens.length ? -1 : 0;
	span.dataset.n = pane.tokens.length;
	span.style.setProperty("--shade", Math.min(1, bits(p) / DARKEST).toFixed(3));
	if (rank > 1) span.dataset.likelier = "";
	if (ends) span.dataset.ends = "";
	pane.list.append(span);
	pane.tokens.push(token);
};

const drawTrace = (pane) => {
	const count = pane.tokens.length;
	const span = told.state === "writing" ? 2 ** Math.ceil(Math.log2(Math.max(32, count))) : Math.max(count, 1);
	const top = Math.max(6, ...pane.tokens.map((token) => Math.max(token[3], Math.min(bits(token[1]), 16)))) * 1.05;
	pane.span = span;
	pane.top = top;
	pane.trace.setAttribute("viewBox", `0 0 ${span} ${top.toFixed(2)}`);
	const at = (n, value) => `${n + 0.5} ${(top - Math.min(value, top)).toFixed(2)}`;
	const curve = pane.tokens.map((token, n) => at(n, token[3])).join("L");
	pane.line.setAttribute("d", count ? `M${curve}` : "");
	pane.area.setAttribute("d", count ? `M0.5 ${top}L${curve}L${count - 0.5} ${top}Z` : "");
	pane.spikes.setAttribute("d", pane.tokens.map((token, n) => `M${n + 0.5} ${top}L${at(n, bits(token[1]))}`).join(""));
	const wide = (pane.trace.clientWidth || 600) / span;
	pane.spikes.style.strokeWidth = `${Math.max(1, Math.min(7, wide * 0.62))}px`;
};

const figure = (title, value, about) => {
	const group = make("div");
	group.title = about;
	group.append(make("dt", "", title), make("dd", "", value));
	return group;
};

const fill = (pane, facts) => {
	const stuck = pane.list.scrollHeight - pane.list.scrollTop - pane.list.clientHeight < 24;
	for (; pane.batches < facts.packed.length; pane.batches++)
		for (const token of JSON.parse(facts.packed[pane.batches])) addToken(pane, token);
	const count = pane.tokens.length;
	const first = pane.tokens.filter((token) => token[4] === 1).length;
	const parts = [
		figure("tokens", count, "Pieces of words that the answer is made of"),
		figure("surprise", `${facts.bits.toFixed(2)} bits`, "Of each token, in the mean: 0 bits is certain, 1 a coin's toss"),
		figure("perplexity", facts.perplexity.toFixed(2), "As if it had drawn each token from so many, equally likely"),
		figure("took its favourite", count ? percent(first / count) : "–", "How often the likeliest token came"),
	];
	pane.figures.replaceChildren(...(told.ways.length ? [make("b", "pm-letter", facts.letter)] : []), ...parts);
	const mean = count ? pane.tokens.reduce((sum, token) => sum + token[3], 0) / count : 0;
	pane.trace.setAttribute("aria-label", `Entropy along ${count} tokens: ${mean.toFixed(1)} bits in the mean`);
	drawTrace(pane);
	mark(pane, facts);
	if (told.state === "writing" && stuck && !open) pane.list.scrollTop = pane.list.scrollHeight;
};

// Where a branch begins, and where two that are compared part.
const mark = (pane, facts) => {
	const marks = `${told.apart} ${facts.branch}`;
	if (pane.marks === marks && pane.marked >= Math.min(pane.tokens.length, Math.max(told.apart, facts.at) + 1)) return;
	const before = pane.marks;
	[pane.marks, pane.marked] = [marks, pane.tokens.length];
	for (const [n, span] of [...pane.list.children].entries()) {
		span.classList.toggle("pm-grafted", facts.branch > 0 && n === facts.at && told.apart < 0);
		span.classList.toggle("pm-same", n < told.apart);
		span.classList.toggle("pm-apart", n === told.apart);
	}
	const parting = pane.list.children[told.apart];
	if (parting && before !== marks) pane.list.scrollTop = parting.offsetTop - pane.list.offsetTop - 40;
};

// --- The branches -------------------------------------------------------------------------------------------------------

const makeWay = (way, number) => {
	const row = make("li", "pm-way");
	row.style.setProperty("--depth", way.depth);
	const take = make("button", "pm-way-take");
	take.type = "button";
	take.dataset.take = number;
	take.setAttribute("aria-pressed", number === told.taken);
	take.title = number === told.taken ? "This is the conversation's answer" : "Make this the conversation's answer";
	take.append(make("b", "pm-letter", way.letter));
	const words = make("span", "pm-way-words");
	if (way.instead) words.append(make("q", "", visible(way.instead)), " instead of ", make("q", "", visible(way.than)), " · ");
	words.append(make("span", "pm-way-text", way.text));
	take.append(words, make("span", "pm-way-bits", `${way.bits.toFixed(2)} bits`));
	row.append(take);
	if (number !== told.taken) {
		const beside = make("button", "pm-way-beside", "Compare");
		beside.type = "button";
		beside.dataset.beside = number;
		beside.setAttribute("aria-pressed", number === told.beside);
		beside.setAttribute("aria-label", `Compare branch ${way.letter} with branch ${told.ways[told.taken].letter}`);
		row.append(beside);
	} else row.append(make("span", "pm-way-here", "in the conversation"));
	return row;
};

const drawWays = () => {
	const list = part("ways");
	const held = list.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
	list.replaceChildren(...told.ways.map(makeWay));
	for (const [name, number] of Object.entries(held ?? {})) list.querySelector(`[data-${name}="${number}"]`)?.focus();
};

// --- The card of one token ----------------------------------------------------------------------------------------------

const close = () => {
	clearTimeout(timer);
	if (!open) return;
	open.pane.list.children[open.n]?.classList.remove("pm-open");
	open.pane.at.setAttribute("d", "");
	open = null;
	part("card").hidden = true;
};

const makeOther = (pane, n, place, changed) => {
	const [, , , , , , own, others] = pane.tokens[n];
	const [text, p, drawn, ends] = others[place];
	const row = make("button", "pm-other");
	row.type = "button";
	row.dataset.other = place;
	row.disabled = place === own || told.state === "writing";
	if (place === own) row.setAttribute("aria-current", "true");
	row.style.setProperty("--p", p);
	row.setAttribute(
		"aria-label",
		`${named(text, ends)}: ${percent(p)}${changed ? `, drawn with ${percent(drawn)}` : ""}${place === own ? ", this came" : ". What if?"}`,
	);
	row.append(make("code", text === "" ? "pm-wordless" : "", text && !ends ? visible(text) : named(text, ends)));
	row.append(make("span", "pm-other-bar"), make("span", "pm-other-p", percent(p)));
	if (changed) row.append(make("span", "pm-other-drawn", drawn ? percent(drawn) : "cut off"));
	return row;
};

const drawCard = () => {
	const { pane, n } = open;
	const [text, p, drawn, entropy, rank, ends, own, others] = pane.tokens[n];
	const changed = Math.abs(drawn - p) > 0.0005 || others.some((one) => Math.abs(one[2] - one[1]) > 0.0005);
	const head = make("header");
	head.append(make("code", text === "" ? "pm-wordless" : "", text && !ends ? visible(text) : named(text, ends)));
	head.append(make("b", "", percent(p)));
	const place = rank === 1 ? "the likeliest of all" : `${rank.toLocaleString("en")}${["th", "st", "nd", "rd"][rank % 100 > 10 && rank % 100 < 14 ? 0 : rank % 10] ?? "th"} likeliest`;
	const facts = make("p", "pm-card-facts");
	facts.append(`${place} · surprise ${bits(p).toFixed(2)} bits · entropy ${entropy.toFixed(2)} bits`);
	const rows = make("div", "pm-others");
	rows.dataset.changed = changed ? "1" : "";
	if (changed) {
		const heads = make("p", "pm-others-head");
		heads.append(make("span", "", "model"), make("span", "", "drawn"));
		heads.title = "The model's own probability, and what temperature and top-p made of it";
		rows.append(heads);
	}
	rows.append(...others.map((_, which) => makeOther(pane, n, which, changed)));
	const rest = 1 - others.reduce((sum, one) => sum + one[1], 0) - (own < 0 ? p : 0);
	const wait = told.state === "writing";
	const note = make("p", "pm-card-note", wait ? "Once it is written, or stopped, choose what should have come." : "What if? Choose one, and the answer goes on from there.");
	if (rest > 0.0005) rows.append(make("p", "pm-others-rest", `all others together ${percent(rest)}`));
	const card = part("card");
	card.setAttribute("aria-label", `What could have come instead of ${named(text, ends)}`);
	card.replaceChildren(head, facts, rows, note);
};

const place = () => {
	const card = part("card");
	const token = open.pane.list.children[open.n].getClientRects()[0];
	const around = root().getBoundingClientRect();
	if (!token) return;
	const left = Math.max(0, Math.min(token.left - around.left - 14, around.width - card.offsetWidth));
	const below = token.bottom + card.offsetHeight + 8 <= window.innerHeight || token.top < card.offsetHeight + 8;
	card.style.left = `${left}px`;
	card.style.top = `${(below ? token.bottom + 6 : token.top - card.offsetHeight - 6) - around.top}px`;
};

const show = (pane, n, pinned) => {
	if (!pane?.tokens[n]) return;
	if (open?.pane === pane && open.n === n) {
		open.pinned ||= pinned;
		return;
	}
	close();
	open = { pane, n, pinned };
	pane.list.children[n].classList.add("pm-open");
	pane.at.setAttribute("d", `M${n + 0.5} 0V${pane.top}`);
	drawCard();
	part("card").hidden = false;
	place();
};

// --- What people do -----------------------------------------------------------------------------------------------------

const paneOf = (target) => panes.find((pane) => pane.box.contains(target));
const numberIn = (pane, event) => {
	const token = event.target.closest(".pm-token");
	if (token) return Number(token.dataset.n);
	if (!event.target.closest(".pm-trace")) return -1;
	const around = pane.trace.getBoundingClientRect();
	return Math.floor(((event.clientX - around.left) / around.width) * pane.span);
};
const focusOn = (pane, n) => {
	const [token, before] = [pane.list.children[n], pane.list.querySelector('[tabindex="0"]')];
	if (!token) return;
	if (before) before.tabIndex = -1;
	token.tabIndex = 0;
	const [text, p, , , rank, ends] = pane.tokens[n];
	token.setAttribute("aria-label", `${named(text, ends)}, ${percent(p)}${rank > 1 ? `, another was likelier` : ""}`);
	token.focus();
};

element.addEventListener("pointerover", (event) => {
	if (event.pointerType !== "mouse" || open?.pinned) return;
	clearTimeout(timer);
	if (event.target.closest(".pm-card")) return;
	const pane = paneOf(event.target);
	const n = pane ? numberIn(pane, event) : -1;
	timer = n >= 0 ? setTimeout(() => show(pane, n, false), OPEN_MS) : setTimeout(close, CLOSE_MS);
});
element.addEventListener("pointermove", (event) => {
	const pane = event.pointerType === "mouse" && !open?.pinned && event.target.closest(".pm-trace") && paneOf(event.target);
	if (!pane) return;
	const n = numberIn(pane, event);
	if (!pane.tokens[n] || (open?.pane === pane && open.n === n)) return;
	clearTimeout(timer);
	const token = pane.list.children[n];
	const [from, to] = [pane.list.scrollTop, pane.list.scrollTop + pane.list.clientHeight];
	const at = token.offsetTop - pane.list.offsetTop;
	if (at < from || at + 28 > to) pane.list.scrollTop = at - pane.list.clientHeight / 2;
	show(pane, n, false);
});
element.addEventListener("pointerleave", () => {
	clearTimeout(timer);
	if (open && !open.pinned) timer = setTimeout(close, CLOSE_MS);
});

element.addEventListener("click", (event) => {
	const pressed = (selector) => event.target.closest(selector);
	const other = pressed(".pm-other");
	if (other && open) {
		const sent = [open.pane.branch, open.n, Number(other.dataset.other)];
		close();
		return trigger("branch", { value: sent });
	}
	const [take, beside] = [pressed("[data-take]"), pressed("[data-beside]")];
	if (take && take.getAttribute("aria-pressed") !== "true") return trigger("take", { value: [Number(take.dataset.take)] });
	if (beside) return trigger("beside", { value: [Number(beside.dataset.beside)] });
	const pane = paneOf(event.target);
	const n = pane ? numberIn(pane, event) : -1;
	if (n < 0) return;
	clearTimeout(timer);
	if (open?.pinned && open.pane === pane && open.n === n) return close();
	if (event.target.closest(".pm-token")) focusOn(pane, n);
	close();
	show(pane, n, true);
});
document.addEventListener("click", (event) => {
	if (open && event.isTrusted && !element.contains(event.target)) close();
});

element.addEventListener("focusin", (event) => {
	const token = event.target.closest(".pm-token");
	if (token && token.matches(":focus-visible")) show(paneOf(token), Number(token.dataset.n), false);
});
element.addEventListener("focusout", (event) => {
	if (open && !open.pinned && event.relatedTarget && !element.contains(event.relatedTarget)) close();
});

// The token above or below: the nearest in the next line.
const inLine = (pane, n, step) => {
	const all = pane.list.children;
	const from = all[n].getClientRects()[0];
	let found = n;
	let line = null;
	for (let one = n + step; all[one]; one += step) {
		const there = all[one].getClientRects()[0];
		if (Math.abs(there.top - from.top) < 4) continue;
		if (line !== null && Math.abs(there.top - line) > 4) break;
		line = there.top;
		const nearer = Math.abs(there.left - from.left) < Math.abs(all[found].getClientRects()[0].left - from.left);
		if (found === n || nearer) found = one;
	}
	return found;
};

element.addEventListener("keydown", (event) => {
	const token = event.target.closest(".pm-token");
	const other = event.target.closest(".pm-other");
	if (event.key === "Escape" && open) {
		const { pane, n } = open;
		close();
		if (other) {
			focusOn(pane, n);
			close();
		}
	} else if (token) {
		const pane = paneOf(token);
		const n = Number(token.dataset.n);
		const last = pane.tokens.length - 1;
		const moves = { ArrowRight: () => n + 1, ArrowLeft: () => n - 1, Home: () => 0, End: () => last };
		const lines = { ArrowDown: () => inLine(pane, n, 1), ArrowUp: () => inLine(pane, n, -1) };
		const to = (moves[event.key] ?? lines[event.key])?.();
		if (to !== undefined) {
			close();
			focusOn(pane, Math.max(0, Math.min(last, to)));
		} else if (event.key === "Enter" || event.key === " ") {
			show(pane, n, true);
			part("card").querySelector(".pm-other:enabled")?.focus();
		} else return;
	} else if (other && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
		const all = [...part("card").querySelectorAll(".pm-other:enabled")];
		all[all.indexOf(other) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
	} else return;
	event.preventDefault();
});

// --- What the server tells ----------------------------------------------------------------------------------------------

const read = () => {
	const before = told.state;
	told = { ways: [], panes: [], apart: -1, ...props.value };
	root().dataset.state = told.state;
	part("xray-hint").textContent = told.hint ?? "";
	drawWays();
	const kept = told.panes.map((facts) => panes.find((pane) => pane.id === facts.id) ?? makePane(facts));
	if (kept.length !== panes.length || kept.some((pane, place) => pane !== panes[place])) {
		close();
		panes = kept;
		part("panes").replaceChildren(...panes.map((pane) => pane.box));
	}
	for (const [number, facts] of told.panes.entries()) fill(panes[number], facts);
	if (open && before !== told.state) drawCard();
};

watch("value", read);
read();
new ResizeObserver(() => panes.forEach(drawTrace)).observe(root());

// The head of the page, brought to life. Runs once, as gr.HTML's js_on_load: `element` is the header's own element.
// Everything read from the server is written as text, never as HTML.

const root = window.gradio_config?.root ?? "";
const part = (name) => element.querySelector(`.pm-${name}`);

// --- What the server is doing, read every few seconds while somebody looks -------------------------------------------

const EVERY_MS = 3000;
let timer;

const bytes = (count) => {
	const power = [0, 1, 2].find((n) => count / 1024 ** n < 1000) ?? 3; // 1.0 GiB, not 1023.1 MiB
	return `${(count / 1024 ** power).toFixed(power ? 1 : 0)} ${["B", "KiB", "MiB", "GiB"][power]}`;
};

const show = ({ memory, models, running, queue }) => {
	const share = memory.budget ? Math.min(1, memory.used / memory.budget) : 0;
	const meter = part("meter");
	meter.setAttribute("aria-valuemax", memory.budget);
	meter.setAttribute("aria-valuenow", memory.used);
	meter.setAttribute("aria-valuetext", `${bytes(memory.used)} of ${bytes(memory.budget)}`);
	meter.classList.toggle("pm-full", share > 0.9);
	meter.querySelector(".pm-bar > span").style.width = `${share * 100}%`;
	part("meter-text").textContent = `${bytes(memory.used)} of ${bytes(memory.budget)}`;
	part("models").replaceChildren(
		...(models.length ? models : [{ title: "No model is loaded. The first request loads one.", bytes: null }]).map(
			(model) => {
				const line = document.createElement("span");
				line.textContent =
					model.bytes === null ? model.title : `${model.title}, ${bytes(model.bytes)}${model.in_use ? ", in use" : ""}`;
				return line;
			},
		),
	);
	part("queue").textContent = running + queue === 0 ? "Idle" : `${running} running` + (queue ? `, ${queue} waiting` : "");
	part("header").classList.toggle("pm-busy", running > 0);
	part("header").classList.remove("pm-away");
};

const read = async () => {
	clearTimeout(timer);
	if (document.hidden || !element.isConnected) return;
	try {
		const answer = await fetch(`${root}/health`, { signal: AbortSignal.timeout(10_000) });
		if (!answer.ok) throw new Error(answer.statusText);
		show(await answer.json());
	} catch {
		part("header").classList.add("pm-away");
		part("queue").textContent = "Server not reachable";
	}
	clearTimeout(timer);
	timer = setTimeout(read, EVERY_MS);
};

document.addEventListener("visibilitychange", read);
read();

// --- Light or dark: the system's choice until the visitor makes one -------------------------------------------------

const KEY = "polymuse-theme";
const stored = () => {
	try {
		return localStorage.getItem(KEY);
	} catch {
		return null; // storage is closed to pages in some frames; the choice then lasts as long as the page
	}
};
const apply = (dark) => {
	document.body.classList.toggle("dark", dark);
	part("theme").setAttribute("aria-pressed", dark);
};

const asked = new URL(location.href).searchParams.get("__theme") ?? stored();
apply(asked === null || asked === "system" ? document.body.classList.contains("dark") : asked === "dark");
part("theme").addEventListener("click", () => {
	const dark = !document.body.classList.contains("dark");
	apply(dark);
	try {
		localStorage.setItem(KEY, dark ? "dark" : "light");
	} catch {
		// as above
	}
});

// --- Keyboard: what gradio leaves out -------------------------------------------------------------------------------

part("skip").addEventListener("click", (event) => {
	const content = document.querySelector(part("skip").getAttribute("href"));
	event.preventDefault();
	content.tabIndex = -1;
	content.focus();
});

part("memory").addEventListener("keydown", (event) => {
	if (event.key === "Escape") part("meter").blur();
});

const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
document.addEventListener("keydown", (event) => {
	const tab = event.target.closest?.('[role="tablist"] [role="tab"]');
	if (!tab || !(event.key in STEPS)) return;
	const tabs = [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]:not(:disabled)')];
	const next = tabs[Math.max(0, Math.min(tabs.length - 1, tabs.indexOf(tab) + STEPS[event.key]))];
	event.preventDefault();
	next.focus();
	next.click();
});

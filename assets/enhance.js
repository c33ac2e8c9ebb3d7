// The enhance tab's player. js_on_load of gr.HTML; `props.value` says how far a recording is (see ui/enhance_run.py).
// Before and after are channels of one file, which one media element plays: Web Audio lets one of them through, so
// that switching leaves no gap and no drift.

const FADE = 0.006; // seconds, time constant: too short to hear, too long to click
const root = () => element.querySelector(".pm-ab");
const part = (name) => element.querySelector(`.pm-ab-${name}`);
const audio = element.querySelector("audio");
const range = part("sheets").querySelector("input");

let told = { run: "", state: "empty", pictures: {}, facts: [], downloads: [] };
let loaded = "";
let context = null;
let gains = { before: [], after: [] };

const heard = () => element.querySelector("input[name=pm-ab]:checked").value;
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

// A page may make a sound only after a press, so all this is laid out at the first one.
const connect = () => {
	context ??= new AudioContext({ sampleRate: 48000 });
	if (context.state === "suspended") context.resume();
	if (context.source) return;
	context.source = context.createMediaElementSource(audio);
	route();
};

const route = () => {
	if (!context?.source) return;
	context.source.disconnect();
	const splitter = context.createChannelSplitter(4);
	const merger = context.createChannelMerger(2);
	context.source.connect(splitter);
	gains = { before: [], after: [] };
	for (const [place, which] of ["before", "after"].entries())
		for (let side = 0; side < 2; side++) {
			const gain = context.createGain();
			gain.gain.value = which === heard() ? 1 : 0;
			splitter.connect(gain, told.channels === 2 ? 2 * place + side : place);
			gain.connect(merger, 0, side);
			gains[which].push(gain);
		}
	merger.connect(context.destination);
};

const choose = () => {
	root().dataset.heard = heard();
	for (const which of ["before", "after"])
		for (const gain of gains[which]) gain.gain.setTargetAtTime(which === heard() ? 1 : 0, context.currentTime, FADE);
};

const show = () => {
	const playing = !audio.paused && !audio.ended;
	const at = audio.currentTime || 0;
	const total = told.seconds || 0;
	const toggle = part("toggle");
	root().dataset.state = told.state;
	root().dataset.playing = playing;
	if (playing) root().dataset.played = Math.max(Number(root().dataset.played), at).toFixed(2);
	toggle.disabled = range.disabled = part("choice").disabled = !told.sound;
	toggle.setAttribute("aria-label", playing ? "Pause" : "Play");
	range.max = total || 1;
	range.value = at;
	range.setAttribute("aria-valuetext", `${clock(at)} of ${clock(total)}`);
	part("time").textContent = told.sound ? `${clock(at)} / ${clock(total)}` : "";
	part("line").style.left = `${total ? (100 * at) / total : 0}%`;
};

const tick = () => {
	show();
	if (!audio.paused && !audio.ended) requestAnimationFrame(tick);
};

const picture = (image, address) => {
	if (address && image.getAttribute("src") !== address) image.src = address;
	if (!address) image.removeAttribute("src");
};

const link = (file) => {
	const anchor = document.createElement("a");
	anchor.href = file.href;
	anchor.download = file.name;
	anchor.textContent = file.title;
	return anchor;
};

const fact = (text) => {
	const item = document.createElement("li");
	item.textContent = text;
	return item;
};

const hear = () => {
	told = typeof props.value === "string" ? JSON.parse(props.value || "{}") : (props.value ?? told);
	if (loaded !== (told.sound ?? "")) {
		loaded = told.sound ?? "";
		audio.pause();
		root().dataset.played = "0";
		if (loaded) audio.src = loaded;
		else audio.removeAttribute("src");
		route();
	}
	for (const figure of element.querySelectorAll("figure")) picture(figure.querySelector("img"), told.pictures[figure.dataset.which]);
	picture(part("mask").querySelector("img"), told.pictures.mask);
	part("mask").hidden = !told.pictures.mask;
	part("sheets").hidden = !told.pictures.after;
	part("bar").hidden = told.state === "empty";
	part("facts").replaceChildren(...told.facts.map(fact));
	element.querySelector(".pm-downloads").replaceChildren(...told.downloads.map(link));
	show();
};

part("toggle").addEventListener("click", () => {
	connect();
	if (audio.paused) audio.play();
	else audio.pause();
});
part("choice").addEventListener("change", choose);
range.addEventListener("input", () => {
	audio.currentTime = Number(range.value);
	show();
});
for (const change of ["play", "pause", "ended", "seeked", "loadedmetadata"]) audio.addEventListener(change, tick);
watch("value", hear);
hear();

// The player of all tabs with sound. js_on_load of gr.HTML; `props.value` says which stretches of sound there are so far
// (see ui/player.py). Each is fetched as raw samples and laid behind the one before, to the sample, by Web Audio. A tab's
// own script may follow in the same function; it hears of every change of the position as the event "pm-at".

const LEAD = 0.06; // seconds between now and the next sound: time to get it going
const LEAST_SHOWN = 6; // seconds of the waveform at least, so that a short beginning does not fill it
const KEPT = 90; // seconds before and after what is heard that are held here; an hour would be 350 MB
const root = () => element.querySelector(".pm-player");
const facts = () => root().dataset;
const part = (name) => element.querySelector(`.pm-player-${name}`);

let context = null;
let run = "";
let told = { parts: [], downloads: [], state: "empty" };
let heard = 0; // how many of the parts have been taken notice of
let buffers = [];
let wanted = new Set(); // numbers of the parts that are being fetched
let sources = [];
let playing = false;
let begun = false;
let origin = 0; // the context's time at which second 0 is, or would have been, heard
let rest = 0; // where it is paused
let cursor = 0; // up to which second everything has been laid out
let ticking = 0;
let second = -1; // the last one at whose beginning it was looked what is near
let dry = false; // it has played all there was, and waits for more

const total = () => told.parts.reduce((sum, one) => sum + one.seconds, 0);
const position = () => (playing ? Math.max(0, Math.min(context.currentTime - origin, cursor)) : rest);

// A page may make a sound only after a press; Safari wants the context made in that very moment.
const unlock = () => {
	context ??= new AudioContext({ sampleRate: Number(facts().rate) });
	if (context.state === "suspended") context.resume();
};
document.addEventListener(
	"click",
	(event) => {
		if (event.target.closest?.(facts().keys)) unlock();
	},
	true,
);

const silence = () => {
	for (const source of sources) {
		source.onended = null;
		source.stop();
	}
	sources = [];
};

const near = (one) => one.start < position() + KEPT && one.start + one.seconds > position() - KEPT;

// Hold what is near, and let go of the rest; it can be fetched again.
const keep = () => {
	for (const [number, one] of told.parts.entries()) {
		if (!near(one)) delete buffers[number];
		else if (!buffers[number]) want(number);
	}
};

// Whether enough has come to go on after running dry: else it would stutter wherever making is slower than hearing.
const enough = (number) => {
	if (told.state !== "live") return true;
	const first = buffers.findIndex((buffer, place) => place >= number && !buffer);
	const ready = told.parts.slice(number, first < 0 ? buffers.length : first);
	return ready.reduce((sum, one) => sum + one.seconds, 0) >= Number(facts().cushion);
};

// Lay out what has come, each stretch where the one before ends; what comes too late moves all that follows.
const layOut = () => {
	if (!playing) return;
	for (const [number, one] of told.parts.entries()) {
		if (one.start + one.seconds <= cursor + 1e-6) continue;
		if (!near(one)) return;
		const buffer = buffers[number];
		if (!buffer) return want(number);
		const now = context.currentTime;
		dry ||= number > 0 && Number.isFinite(origin) && origin + cursor < now;
		if (dry && !enough(number)) return;
		dry = false;
		if (origin + cursor < now) origin = Math.round((now + LEAD - cursor) * buffer.sampleRate) / buffer.sampleRate;
		const source = context.createBufferSource();
		source.buffer = buffer;
		source.connect(context.destination);
		source.start(origin + cursor, cursor - one.start);
		source.onended = () => sources.splice(sources.indexOf(source), 1);
		sources.push(source);
		cursor = one.start + one.seconds;
	}
};

const play = (from) => {
	unlock();
	silence();
	playing = true;
	dry = false;
	cursor = from;
	origin = -Infinity;
	layOut();
	if (origin === -Infinity) origin = context.currentTime - from;
	cancelAnimationFrame(ticking);
	tick();
};

const pause = () => {
	rest = position();
	playing = false;
	silence();
	show();
};

const seek = (to) => {
	rest = Math.min(to, total());
	if (playing) play(rest);
	else show();
};

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const draw = (at) => {
	const canvas = part("wave").querySelector("canvas");
	const scale = window.devicePixelRatio || 1;
	const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale];
	if (!width) return;
	if (canvas.width !== width) canvas.width = width;
	if (canvas.height !== height) canvas.height = height;
	const paint = canvas.getContext("2d");
	const style = getComputedStyle(element);
	const length = Math.max(total(), LEAST_SHOWN);
	const bar = 3 * scale;
	const count = Math.floor(width / bar);
	const peaks = told.parts.flatMap((one) => one.peaks);
	const each = total() ? peaks.length / total() : 0;
	paint.clearRect(0, 0, width, height);
	for (let number = 0; number < count; number++) {
		const from = (number / count) * length;
		if (from >= total()) break;
		const loud = Math.max(0, ...peaks.slice(from * each, Math.max(from * each + 1, ((number + 1) / count) * length * each)));
		const high = Math.max(2 * scale, (loud / 100) * height);
		paint.fillStyle = style.getPropertyValue(from < at ? "--pm-accent" : "--pm-edge");
		paint.fillRect(number * bar, (height - high) / 2, bar - scale, high);
	}
};

const show = () => {
	const at = position();
	const range = part("wave").querySelector("input");
	range.max = Math.max(total(), LEAST_SHOWN);
	range.value = at;
	range.disabled = !told.parts.length;
	range.setAttribute("aria-valuetext", `${clock(at)} of ${clock(total())}`);
	part("time").textContent = `${clock(at)} / ${clock(total())}`;
	const toggle = part("toggle");
	toggle.disabled = !told.parts.length;
	toggle.setAttribute("aria-label", playing ? "Pause" : "Play");
	root().dataset.playing = playing;
	root().dataset.state = told.state;
	root().dataset.played = Math.max(Number(root().dataset.played), at).toFixed(2);
	for (const [number, line] of [...element.querySelectorAll(".pm-captions button")].entries()) {
		const one = told.parts[number];
		const ends = number === told.parts.length - 1 ? Infinity : one.start + one.seconds; // while the next is being made
		const current = at >= one.start && at < ends && (playing || at > 0);
		if (current && !line.hasAttribute("aria-current")) line.scrollIntoView({ block: "nearest" });
		line.toggleAttribute("aria-current", current);
	}
	draw(at);
	element.dispatchEvent(new CustomEvent("pm-at", { detail: at }));
};

const tick = () => {
	if (!playing) return;
	if (told.state !== "live" && cursor >= total() - 1e-6 && position() >= total() - 1e-6) {
		playing = false;
		rest = 0;
	}
	if (Math.floor(position()) !== second) {
		second = Math.floor(position());
		keep();
		layOut();
	}
	show();
	ticking = requestAnimationFrame(tick);
};

const want = async (number) => {
	if (wanted.has(number)) return;
	wanted.add(number);
	const [one, of] = [told.parts[number], run];
	const answer = await fetch(one.src);
	const samples = new Int16Array(await answer.arrayBuffer());
	if (of !== run) return; // something else is heard by now, and these files are gone
	wanted.delete(number);
	if (!answer.ok) return;
	unlock();
	const count = samples.length / one.channels;
	const buffer = context.createBuffer(one.channels, count, one.rate);
	for (let channel = 0; channel < one.channels; channel++)
		buffer.copyToChannel(Float32Array.from({ length: count }, (_, at) => samples[at * one.channels + channel] / 32768), channel);
	buffers[number] = buffer;
	layOut();
};

const caption = (one) => {
	const item = document.createElement("li");
	const line = document.createElement("button");
	line.type = "button";
	if (one.speaker) {
		const who = document.createElement("strong");
		who.textContent = one.speaker;
		line.append(who, " ");
	}
	line.append(one.text);
	if (one.phonemes) {
		const sounds = document.createElement("small");
		sounds.ariaHidden = "true"; // a screen reader has just read the words
		sounds.textContent = one.phonemes;
		line.append(sounds);
	}
	line.addEventListener("click", () => play(one.start));
	item.append(line);
	return item;
};

const link = (file) => {
	const anchor = document.createElement("a");
	anchor.href = file.href;
	anchor.download = file.name;
	anchor.textContent = file.title;
	return anchor;
};

const hear = () => {
	const news = typeof props.value === "string" ? JSON.parse(props.value || "{}") : (props.value ?? told);
	// What the run told last may come after the answer to Stop, which knows more.
	const late = news.parts.length < told.parts.length || (news.state === "live" && told.state === "stopped");
	if (news.run === run && late) return;
	told = news;
	const captions = element.querySelector(".pm-captions");
	if (told.run !== run) {
		silence();
		run = told.run;
		begun = told.state === "live"; // not one that a reload brought back: that is silent until it is asked for
		buffers = [];
		wanted = new Set();
		rest = cursor = 0;
		playing = false;
		root().dataset.played = "0";
		captions?.replaceChildren();
		heard = 0;
	}
	while (heard < told.parts.length) {
		const number = heard++;
		captions?.append(caption(told.parts[number]));
		if (near(told.parts[number])) want(number);
		if (number === 0 && begun && told.state !== "stopped") play(0);
	}
	element.querySelector(".pm-downloads").replaceChildren(...told.downloads.map(link));
	if (told.state === "stopped" && playing) pause();
	if (told.state !== "live") layOut();
	show();
};

part("toggle").addEventListener("click", () => (playing ? pause() : play(rest)));
part("wave")
	.querySelector("input")
	.addEventListener("input", (event) => seek(Number(event.target.value)));
new ResizeObserver(() => draw(position())).observe(part("wave"));
watch("value", hear);
hear();

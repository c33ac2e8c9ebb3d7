// The music tab's piano roll. Goes on in player.js's function: `told`, `position`, `play` and `playing` are the player's.
// `told.notes` are the notes so far, a text for each update; they are drawn where they belong in a piece whose length is
// known from the first, so that one sees it fill.

const LEAST_ROWS = 24; // semitones
const NARROWEST = 11; // pixels of a quarter note: where the piece is too long for that, the sheet scrolls
const WIDEST = 44;
const QUARTER = 24; // ticks
const BLACK = new Set([1, 3, 6, 8, 10]);
const COLOURS = ["accent-ink", "blue", "warm", "violet"]; // of the voices, from the highest

const roll = element.querySelector(".pm-roll");
const sheet = element.querySelector(".pm-sheet");
const paper = sheet.querySelector("canvas");
const keys = element.querySelector(".pm-keys");
const playhead = element.querySelector(".pm-playhead");

let piece = "";
let notes = [];
let same = new Map(); // how many notes start together on one pitch
let batches = 0;
let lowest = 60;
let highest = 72;
let scale = 1; // pixels of a tick
let following = true;
let sounding = "";

const begin = () => notes[0]?.start ?? 0; // the sound begins with the first note
const tickAt = (seconds) => begin() + seconds * told.ticks.second;
const colour = (name) => getComputedStyle(element).getPropertyValue(`--pm-${name}`);
const sharp = (canvas, width, height) => {
	const dense = window.devicePixelRatio || 1;
	if (canvas.width !== Math.round(width * dense)) canvas.width = Math.round(width * dense);
	if (canvas.height !== Math.round(height * dense)) canvas.height = Math.round(height * dense);
	const paint = canvas.getContext("2d");
	paint.setTransform(dense, 0, 0, dense, 0, 0);
	paint.clearRect(0, 0, width, height);
	return paint;
};

const row = () => sheet.clientHeight / (highest - lowest + 1);
const rise = (pitch) => (highest - pitch) * row();

const drawKeys = (now) => {
	const [width, height] = [keys.clientWidth, sheet.clientHeight];
	const paint = sharp(keys, width, height);
	for (let pitch = lowest; pitch <= highest; pitch++) {
		const voice = now.get(pitch);
		paint.fillStyle = voice !== undefined ? colour(COLOURS[voice]) : colour(BLACK.has(pitch % 12) ? "edge" : "surface");
		paint.fillRect(0, rise(pitch), width, Math.max(1, row() - 0.5));
		if (pitch % 12) continue;
		paint.fillStyle = voice !== undefined ? colour("surface") : colour("ink");
		paint.font = "10px IBM Plex Sans, sans-serif";
		paint.fillText(`C${pitch / 12 - 1}`, 6, rise(pitch) + row() / 2 + 3.5);
	}
};

const drawSheet = () => {
	const room = sheet.clientWidth;
	if (!room || !told.ticks) {
		paper.style.width = "0";
		return;
	}
	const end = Math.max(told.ticks.end, ...notes.map((note) => note.start + note.length));
	scale = Math.min(Math.max(room / end, NARROWEST / QUARTER), WIDEST / QUARTER);
	const [width, height] = [Math.max(room, end * scale), sheet.clientHeight];
	paper.style.width = `${width}px`;
	const paint = sharp(paper, width, height);
	paint.fillStyle = colour("sunken");
	for (let pitch = lowest; pitch <= highest; pitch++)
		if (BLACK.has(pitch % 12)) paint.fillRect(0, rise(pitch), end * scale, row());
	paint.font = "10px IBM Plex Sans, sans-serif";
	const upbeat = begin() % told.ticks.bar > 0; // its bar is not counted
	for (let tick = 0, bar = upbeat ? 0 : 1; tick < end; tick += told.ticks.bar, bar++) {
		paint.fillStyle = colour("line");
		paint.fillRect(tick * scale, 0, 1, height);
		paint.fillStyle = colour("faint");
		if (bar && (told.ticks.bar * scale > 22 || bar % 4 === 1)) paint.fillText(bar, tick * scale + 4, 11);
	}
	const palette = COLOURS.map(colour);
	const high = Math.max(2, row() - 1);
	for (const note of notes) {
		const share = high / same.get(`${note.start} ${note.pitch}`); // voices in unison lie one under the other
		const wide = Math.max(2, note.length * scale - 1);
		paint.fillStyle = palette[note.voice];
		paint.beginPath();
		paint.roundRect(note.start * scale, rise(note.pitch) + 0.5 + note.place * share, wide, share, Math.min(3, wide / 2, share / 2));
		paint.fill();
	}
};

const drawRoll = () => {
	sounding = "";
	drawSheet();
	drawKeys(new Map());
	at();
};

// Where it is heard: a line over the sheet, which scrolls along, and the keys that sound.
const at = () => {
	const shown = told.parts.length > 0 && notes.length > 0 && (playing || position() > 0);
	playhead.hidden = !shown;
	if (!told.ticks) return;
	const tick = tickAt(position());
	const x = tick * scale;
	if (shown) playhead.style.transform = `translateX(${x}px)`;
	if (playing && following) sheet.scrollLeft = x - sheet.clientWidth * 0.4;
	const now = new Map();
	if (playing)
		for (const note of notes) if (note.start <= tick && tick < note.start + note.length) now.set(note.pitch, note.voice);
	const these = [...now].join();
	if (these === sounding) return;
	sounding = these;
	drawKeys(now);
};

const chip = (text, title, voice) => {
	const one = document.createElement("span");
	if (voice !== undefined) one.style.setProperty("--voice", `var(--pm-${COLOURS[voice]})`);
	one.className = voice === undefined ? "" : "pm-voice";
	const label = document.createElement("b");
	label.textContent = title;
	one.append(label, text);
	return one;
};

const tell = () => {
	const voices = (told.voices ?? []).map((name, voice) => chip(name, "", voice));
	element.querySelector(".pm-chosen").replaceChildren(...told.chosen.map(([title, text]) => chip(text, title)), ...voices);
	element.querySelector(".pm-roll-empty").hidden = Boolean(told.ticks);
	paper.setAttribute("aria-label", `${notes.length} notes in ${(told.voices ?? []).length || 1} voices`);
	roll.dataset.notes = notes.length;
};

const read = () => {
	if (told.run !== piece) {
		piece = told.run;
		[notes, same, batches, lowest, highest, following] = [[], new Map(), 0, 60, 72, true];
		sheet.scrollLeft = 0;
	}
	for (; batches < told.notes.length; batches++)
		for (const text of told.notes[batches].split(";")) {
			const [start, voice, pitch, length] = text.split(" ").map(Number);
			const place = same.get(`${start} ${pitch}`) ?? 0;
			same.set(`${start} ${pitch}`, place + 1);
			notes.push({ start, voice, pitch, length, place });
			[lowest, highest] = [Math.min(lowest, pitch - 2), Math.max(highest, pitch + 2)];
		}
	while (highest - lowest < LEAST_ROWS) [lowest, highest] = [lowest - 1, highest + 1];
	tell();
	drawRoll();
};

for (const touched of ["wheel", "pointerdown", "keydown"])
	sheet.addEventListener(touched, () => (following = false), { passive: true });
sheet.addEventListener("click", (event) => {
	if (!notes.length || !told.parts.length) return;
	const x = event.clientX - sheet.getBoundingClientRect().left + sheet.scrollLeft;
	following = true;
	play(Math.max(0, Math.min((x / scale - begin()) / told.ticks.second, total() - 0.05)));
});
part("toggle").addEventListener("click", () => (following = true));
element.addEventListener("pm-at", at);
new ResizeObserver(drawRoll).observe(sheet);
new MutationObserver(drawRoll).observe(document.body, { attributeFilter: ["class"] }); // light or dark
watch("value", read);
read();

// The video tab's screen. js_on_load of gr.HTML; `props.value` says how far a clip is (see ui/video_run.py). Frames in
// the making come side by side in one picture: the screen plays them, and the strip below shows them all at once. The
// finished clip is a video.

const STAY = matchMedia("(prefers-reduced-motion: reduce)"); // nothing begins to move by itself then
const root = () => element.querySelector(".pm-video");
const part = (name) => element.querySelector(`.pm-video-${name}`);
const canvas = element.querySelector("canvas");
const video = element.querySelector("video");
const picture = element.querySelector(".pm-video-well > img");
const sheet = new Image();

let told = { run: "", state: "empty", strip: null, clip: null, facts: [], downloads: [] };
let laidOut = null; // the strip that the sheet holds
let playing = false;
let frame = 0;
let next = 0; // when the next frame is due
let asked = false; // for a next animation frame

const finished = () => told.clip?.kind === "mp4";
const share = (index, count) => (count > 1 ? (100 * index) / (count - 1) : 0);

const draw = () => {
	if (!laidOut) return;
	const [width, height] = laidOut.size;
	if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
	frame %= laidOut.count;
	const [row, column] = [Math.floor(frame / laidOut.columns), frame % laidOut.columns];
	canvas.getContext("2d").drawImage(sheet, column * width, row * height, width, height, 0, 0, width, height);
	root().dataset.drawn = Number(root().dataset.drawn) + 1;
	point();
};

// The frame that is to be seen has a mark in the strip.
const point = () => {
	const cells = part("strip").children;
	const at = finished() && video.duration ? Math.floor((video.currentTime / video.duration) * cells.length) : frame;
	const seen = cells[Math.min(at, cells.length - 1)];
	for (const cell of cells) cell.setAttribute("aria-current", cell === seen);
};

const tick = (now) => {
	asked = false;
	if (!playing || finished() || told.state === "empty" || !element.isConnected) return;
	if (now >= next && canvas.offsetParent) {
		next = Math.max(next + 1000 / told.fps, now);
		frame += 1;
		draw();
	}
	ask();
};

const ask = () => {
	if (asked || !playing) return;
	asked = true;
	requestAnimationFrame(tick);
};

const play = (on) => {
	playing = on;
	root().dataset.playing = on;
	part("toggle").setAttribute("aria-label", on ? "Pause" : "Play");
	ask();
};

sheet.addEventListener("load", () => {
	if (!sheet.told) return; // it came too late
	const strip = part("strip");
	const { src, count, columns, size } = sheet.told;
	laidOut = sheet.told;
	strip.style.setProperty("--sheet", `url("${src}")`);
	strip.style.setProperty("--shape", `${size[0]} / ${size[1]}`);
	strip.style.setProperty("--across", columns);
	strip.dataset.step = sheet.step;
	if (strip.children.length !== count) {
		const rows = Math.ceil(count / columns);
		const cells = Array.from({ length: count }, (_, number) => {
			const cell = document.createElement("button");
			cell.type = "button";
			cell.setAttribute("aria-label", `Frame ${number + 1} of ${count}`);
			const [row, column] = [Math.floor(number / columns), number % columns];
			cell.style.backgroundPosition = `${share(column, columns)}% ${share(row, rows)}%`;
			return cell;
		});
		strip.replaceChildren(...cells);
	}
	if (finished()) point();
	else draw();
});

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

const put = (what, address) => {
	if ((what.getAttribute("src") ?? "") === address) return;
	if (address) what.src = address;
	else what.removeAttribute("src");
};

const show = () => {
	const before = told;
	told = typeof props.value === "string" ? JSON.parse(props.value || "{}") : (props.value ?? told);
	const { state, strip, clip } = told;
	root().dataset.state = clip ? "over" : state;
	root().dataset.kind = clip?.kind ?? "";
	const size = clip?.size ?? strip?.size ?? [1, 1];
	part("well").style.setProperty("--shape", `${size[0]} / ${size[1]}`);
	if (strip && strip.src !== sheet.told?.src) {
		sheet.told = strip;
		sheet.step = told.step;
		sheet.src = strip.src;
	}
	if (!strip) {
		laidOut = sheet.told = null;
		canvas.width = canvas.height = 1; // which empties it
		part("strip").replaceChildren();
	}
	part("bar").hidden = !strip;
	part("toggle").hidden = Boolean(clip);
	part("toggle").disabled = !strip;
	const which = strip ? `${strip.count} frames` : "";
	part("strip").setAttribute("aria-label", clip ? which : `${which}, step ${told.step} of ${told.total}`);
	canvas.setAttribute("aria-label", `Preview, step ${told.step} of ${told.total}`);
	video.autoplay = !STAY.matches;
	put(video, finished() ? clip.src : "");
	put(picture, clip && !finished() ? clip.src : "");
	part("note").textContent = told.note;
	part("note").hidden = !told.note;
	part("facts").replaceChildren(...told.facts.map(fact));
	element.querySelector(".pm-downloads").replaceChildren(...told.downloads.map(link));
	element.querySelector(".pm-work-actions").hidden = !clip;
	if (strip && !before.strip) play(!STAY.matches && !clip);
	else if (clip) play(false);
	else ask();
};

part("toggle").addEventListener("click", () => play(!playing));
part("on").addEventListener("click", () => trigger("go_on", {}));
// A press on a frame of the strip stops there.
part("strip").addEventListener("click", (event) => {
	const number = [...part("strip").children].indexOf(event.target);
	if (number < 0) return;
	if (finished()) {
		video.pause();
		video.currentTime = ((number + 0.5) / part("strip").children.length) * video.duration;
	} else {
		play(false);
		frame = number;
		draw();
	}
});
for (const change of ["timeupdate", "seeked"]) video.addEventListener(change, point);
watch("value", show);
show();

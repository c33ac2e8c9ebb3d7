// Painting a mask over a picture. js_on_load of gr.HTML; `props.value` is the picture's address when the server sets it,
// and becomes the mask, a black and white PNG as a data URI, with every stroke (see ui/painter.py).

const MOST_SIDE = 512; // pixels of the mask: finer than any brush here
const part = (name) => element.querySelector(`.pm-painter-${name}`);
const picture = part("picture");
const canvas = part("canvas");
const paint = canvas.getContext("2d");
let cursor = { x: 0.5, y: 0.5 };
let last = null;

const open = () => {
	const address = props.value ?? "";
	if (address.startsWith("data:")) return;
	element.querySelector(".pm-painter").hidden = !address;
	if (!address) return picture.removeAttribute("src");
	picture.src = address;
};

picture.addEventListener("load", () => {
	const scale = Math.min(1, MOST_SIDE / Math.max(picture.naturalWidth, picture.naturalHeight));
	canvas.width = Math.max(1, Math.round(picture.naturalWidth * scale));
	canvas.height = Math.max(1, Math.round(picture.naturalHeight * scale));
	part("sheet").style.aspectRatio = `${canvas.width} / ${canvas.height}`;
	cursor = { x: 0.5, y: 0.5 };
	element.scrollIntoView({ block: "nearest" });
});

const width = () => (Number(part("size").value) / 100) * Math.max(canvas.width, canvas.height);

const stroke = (from, to) => {
	paint.globalCompositeOperation = part("erase").checked ? "destination-out" : "source-over";
	paint.strokeStyle = getComputedStyle(element).getPropertyValue("--pm-accent");
	paint.lineWidth = width();
	paint.lineCap = paint.lineJoin = "round";
	paint.beginPath();
	paint.moveTo(from.x * canvas.width, from.y * canvas.height);
	paint.lineTo(to.x * canvas.width + 0.01, to.y * canvas.height);
	paint.stroke();
};

const keep = () => {
	const painted = paint.getImageData(0, 0, canvas.width, canvas.height);
	let any = false;
	for (let at = 0; at < painted.data.length; at += 4) {
		const white = painted.data[at + 3] > 127 ? 255 : 0;
		any ||= white > 0;
		painted.data.set([white, white, white, 255], at);
	}
	const mask = document.createElement("canvas");
	mask.width = canvas.width;
	mask.height = canvas.height;
	mask.getContext("2d").putImageData(painted, 0, 0);
	props.value = any ? mask.toDataURL("image/png") : "data:,";
	element.querySelector(".pm-painter").toggleAttribute("data-painted", any);
};

const where = (event) => {
	const box = canvas.getBoundingClientRect();
	return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
};

canvas.addEventListener("pointerdown", (event) => {
	event.preventDefault();
	canvas.focus({ preventScroll: true });
	canvas.setPointerCapture(event.pointerId);
	last = where(event);
	stroke(last, last);
});
canvas.addEventListener("pointermove", (event) => {
	if (!last) return;
	const next = where(event);
	stroke(last, next);
	last = next;
});
const lift = () => {
	if (last) keep();
	last = null;
};
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);

// By keyboard: arrows move the brush, Space or Enter puts it down.
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const point = () => {
	const brush = part("brush");
	brush.style.left = `${cursor.x * 100}%`;
	brush.style.top = `${cursor.y * 100}%`;
	brush.style.width = `${(width() / canvas.width) * 100}%`;
};
canvas.addEventListener("keydown", (event) => {
	const move = MOVES[event.key];
	if (!move && event.key !== " " && event.key !== "Enter") return;
	event.preventDefault();
	if (move) {
		const step = Number(part("size").value) / 200;
		cursor.x = Math.min(1, Math.max(0, cursor.x + move[0] * step));
		cursor.y = Math.min(1, Math.max(0, cursor.y + move[1] * step));
	} else {
		stroke(cursor, cursor);
		keep();
	}
	point();
});
canvas.addEventListener("focus", point);
part("size").addEventListener("input", point);
part("clear").addEventListener("click", () => {
	paint.clearRect(0, 0, canvas.width, canvas.height);
	keep();
});

watch("value", open);
open();

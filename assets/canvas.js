// The image tab's canvas and gallery, brought to life. js_on_load of gr.HTML: `element` is the component's own element.
// What is pressed is sent as one of these events; sliders stay in the page and ask the server nothing.

const EVENTS = ["example", "choose", "take", "repeat", "move"];

element.addEventListener("click", (event) => {
	const pressed = event.target.closest("[data-send]");
	if (pressed && EVENTS.includes(pressed.dataset.send)) trigger(pressed.dataset.send, { value: pressed.dataset.value });
});

const slide = (range) => {
	const share = Number(range.max) ? range.value / range.max : 1;
	const scene = range.closest("[data-scene]");
	scene.style.setProperty("--at", `${share * 100}%`);
	if (!range.dataset.steps) return;
	const step = range.dataset.steps.split(",")[range.value];
	const text = `Step ${step} of ${range.dataset.total}`;
	scene.querySelector("output").textContent = text;
	range.setAttribute("aria-valuetext", text);
};

element.addEventListener("input", (event) => {
	if (event.target.matches("[data-scene] input[type=range]")) slide(event.target);
});

// A new picture: its sliders say where they are, which may not be where they began.
watch("value", () => element.querySelectorAll("[data-scene] input[type=range]").forEach(slide));

// A picture dropped on the canvas, or pasted while the tab is in view, is one to start from.
const startFrom = (files) => {
	const input = document.querySelector("input[type=file]:has(+ #pm-image-dropped)");
	const picture = [...(files ?? [])].find((file) => file.type.startsWith("image/"));
	if (!picture || !input) return false;
	const one = new DataTransfer();
	one.items.add(picture);
	input.files = one.files;
	input.dispatchEvent(new Event("change", { bubbles: true }));
	return true;
};

const canvas = element.closest("#pm-image-canvas");
if (canvas) {
	canvas.addEventListener("dragover", (event) => event.preventDefault());
	canvas.addEventListener("drop", (event) => {
		event.preventDefault(); // else the browser leaves the page and shows the file
		startFrom(event.dataTransfer.files);
	});
	document.addEventListener("paste", (event) => {
		if (canvas.offsetParent && startFrom(event.clipboardData.files)) event.preventDefault();
	});
}

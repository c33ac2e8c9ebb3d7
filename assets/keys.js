// Ctrl+Enter, or Cmd+Enter, presses the button of the workspace that the keyboard is in. As gr.HTML's js_on_load; before
// the editor sees the key, which would begin a new line.

const workspace = element.closest(".pm-workspace");
workspace?.addEventListener(
	"keydown",
	(event) => {
		if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
		event.preventDefault();
		event.stopPropagation();
		workspace.querySelector("button.pm-go")?.click();
	},
	true,
);

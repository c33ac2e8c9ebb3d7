"""Everything that computes. Nothing in here imports gradio."""

"""Everything that shows. Never imports torch, diffusers or transformers."""

"""One recipe for each model that is trained here; `python -m training.NAME --help` documents it."""

"""Write all references anew: `python -m tests.documentation`."""

from tests.documentation.references import FOLDER, REFERENCES

FOLDER.mkdir(exist_ok=True)
for name, made in REFERENCES.items():
    (FOLDER / name).write_text(made(), "utf-8")

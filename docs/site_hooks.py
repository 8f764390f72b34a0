"""MkDocs hooks: pages generated from the code, and links to them.

- a page for every public module (`api/synths.harmonic.md`), which mkdocstrings fills;
- the text of every file of gin/ at the end of `configs.md`;
- links from docs/ to files outside it, which work in the repository, point to those pages;
- links to audio files get a player.
"""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("synths", "cppn", "discriminators", "noisygan")
INTERNAL = {"noisygan._gin", "noisygan.__main__"}


def modules(package):
    """List the dotted names of a package's public modules, the package first."""
    names = []
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        name = ".".join(parts)
        if name not in INTERNAL and not any(part.startswith("_") for part in parts):
            names.append(name)
    return sorted(names)


def on_config(config):
    """Add decisions and reference to the navigation."""
    decisions = sorted((Path(config.docs_dir) / "decisions").glob("*.md"))
    made = {
        "decisions": [f"decisions/{path.name}" for path in decisions],
        "api": ["api/index.md", *({p: [api(m) for m in modules(p)]} for p in PACKAGES)],
    }
    config.nav = [
        {title: made.get(value, value) if isinstance(value, str) else value}
        for item in config.nav
        for title, value in item.items()
    ]
    return config


def api(module):
    """Return the navigation entry of a module's page."""
    return {module: f"api/{module}.md"}


def on_files(files, config):
    """Add the pages generated from the code."""
    for package in PACKAGES:
        for module in modules(package):
            text = f"# {module}\n\n::: {module}\n"
            files.append(File.generated(config, f"api/{module}.md", content=text))
    files.append(File.generated(config, "api/index.md", content=reference()))
    return files


def reference():
    """Text of the reference's first page: the Python API, then every module with its summary."""
    lines = ["# Reference", "", "## Python API", ""]
    lines += [
        "- [noisygan.run](noisygan.run.md): `load`, `train`, `evaluate`, `compare`, `synthesize`, "
        "`Run`, `Notes`",
        "- [noisygan.data.dataset](noisygan.data.dataset.md): `AudioDataset`",
        "- [noisygan.training.trainer](noisygan.training.trainer.md): `Trainer`",
        "",
    ]
    for package in PACKAGES:
        lines += [f"## {package}", ""]
        for module in modules(package):
            lines.append(f"- [{module}]({module}.md): {summary(module)}")
        lines.append("")
    return "\n".join(lines)


def summary(module):
    """First line of a module's docstring."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found = re.match(r'"""(.+?)("""|\n|$)', path.read_text(encoding="utf-8"))
    return found[1].strip() if found else ""


def configs():
    """Sections with the text of every file of gin/."""
    lines = []
    for path in sorted((ROOT / "gin").rglob("*.gin")):
        name = path.relative_to(ROOT / "gin").as_posix()
        lines += [f"## {name}", "", "```gin", path.read_text(encoding="utf-8").rstrip(), "```", ""]
    return "\n".join(lines)


def on_page_markdown(markdown, page, **_):
    """Point links to files outside docs/ to generated pages; add configs and audio players."""
    if page.file.src_uri == "configs.md":
        markdown += "\n" + configs()
    above = "../" * page.file.src_uri.count("/")

    def elsewhere(match):
        target = match[2]
        if target.startswith("gin"):
            return f"{match[1]}({above}configs.md)"
        if target.endswith(".py"):
            return f"{match[1]}({above}api/{target[:-3].replace('/', '.')}.md)"
        return match[0]

    player = r'\g<0> <audio controls preload="none" src="\1"></audio>'
    markdown = re.sub(r"\[[^\]]+\]\((sounds/[^)]+\.ogg)\)", player, markdown)
    # Highlight gin as Python.
    markdown = re.sub(r"^```gin$", "```python", markdown, flags=re.M)
    return re.sub(rf"(\])\({re.escape(above)}\.\./([^)]+)\)", elsewhere, markdown)

"""What mkdocs does beside rendering docs/*.md: pages made from the code, and links into it.

- a page for every public module, `api/synths.harmonic.md`, that mkdocstrings fills;
- `configs.md`, every file of gin/;
- links from docs/ to files outside it (which work in the repository) lead to those pages;
- links to sounds get a player beside them.
"""

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("synths", "cppn", "discriminators", "noisygan")
INTERNAL = {"noisygan._gin", "noisygan.__main__"}


def modules(package):
    """Dotted names of a package's public modules, itself first."""
    names = []
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        name = ".".join(parts)
        if name not in INTERNAL and not any(part.startswith("_") for part in parts):
            names.append(name)
    return sorted(names)


def on_config(config):
    """Fills in the navigation's decisions and reference."""
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
    """Navigation entry of a module's page."""
    return {module: f"api/{module}.md"}


def on_files(files, config):
    """Adds the pages that are made from the code."""
    for package in PACKAGES:
        for module in modules(package):
            text = f"# {module}\n\n::: {module}\n"
            files.append(File.generated(config, f"api/{module}.md", content=text))
    files.append(File.generated(config, "api/index.md", content=reference()))
    files.append(File.generated(config, "configs.md", content=configs()))
    return files


def reference():
    """Text of the reference's first page: each module with the first line of its docstring."""
    lines = ["# Reference", "", "Every public module, from its docstrings.", ""]
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
    """Text of the page of all configs."""
    lines = ["# Configs", "", "The files of `gin/`, as they come with the package.", ""]
    group = None
    for path in sorted((ROOT / "gin").rglob("*.gin")):
        name = path.relative_to(ROOT / "gin").as_posix()
        if name.split("/")[0] != group:
            group = name.split("/")[0]
            lines += [f"## {group}", ""]
        lines += [
            f"### {name}",
            "",
            "```python",
            path.read_text(encoding="utf-8").rstrip(),
            "```",
            "",
        ]
    return "\n".join(lines)


def on_page_markdown(markdown, page, **_):
    """Turns links to files outside docs/ into links to the pages made from them; adds players."""
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
    # A fence's gin is coloured as Python, which it is.
    markdown = re.sub(r"^```gin$", "```python", markdown, flags=re.M)
    return re.sub(rf"(\])\({re.escape(above)}\.\./([^)]+)\)", elsewhere, markdown)

"""The page and the scripts of a web instrument in one file."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

from noisygan.web import assemble
from tests import web_pages
from tests.pages import Page

MODEL = r'<script id="model" type="application/json">(.*?)</script>'


def test_the_page_loads_nothing_and_its_elements_close(monkeypatch):
    page = Page(web_pages.text(monkeypatch))
    for tag, attributes in page.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, name)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    # Whatever the scripts look up by id is there.
    wanted = set(re.findall(r'find\("([\w-]+)"\)', page.text))
    assert wanted and wanted <= set(ids)
    assert "{{" not in "".join(page.words)


def test_the_published_flute_is_assembled_from_todays_files():
    path = pathlib.Path(__file__).parents[2] / "docs/flute.html"
    published = path.read_text("utf-8")
    (model,) = re.findall(MODEL, published, re.S)
    is_todays = assemble.page(json.loads(model)) == published
    assert is_todays, f"{path}: write `assemble.page` of the model in it to it"


def test_a_model_cannot_end_its_element(monkeypatch):
    model = web_pages.model(name="</script><b>", tags={"<!--<script>": ["a", "b"]})
    text = web_pages.text(monkeypatch, model)
    (found,) = re.findall(MODEL, text, re.S)
    assert json.loads(found) == model
    with pytest.raises(ValueError, match="JSON"):
        assemble.page({**model, "sample_rate": float("nan")})


@pytest.mark.skipif(not shutil.which("node"), reason="no Node")
def test_modules_are_joined_in_the_order_of_their_imports(monkeypatch, tmp_path):
    files = {
        "a.js": 'import { one, two as second } from "./b-b.js";\nimport * as c from "./c.js";\n'
        "c.four().then((four) => console.log(one, second(), c.Three.name, four));\n",
        "b-b.js": 'import { base } from "./c.js";\nexport const one = base + 1;\n'
        "export function two() { return inner(); }\nfunction inner() { return one + base; }\n",
        "c.js": "export const base = 10;\nexport class Three {}\n"
        "export async function four() { return 4; }\n",
    }
    monkeypatch.setattr(assemble, "read", files.__getitem__)
    (tmp_path / "joined.mjs").write_text(assemble.bundle("a.js"))
    command = ["node", tmp_path / "joined.mjs"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout == "11 21 Three 4\n"

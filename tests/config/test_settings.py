"""Each setting says what it is for, in the code and, with the same words, on its page."""

import ast
import inspect

from hongyan.config import settings
from tests.docs.pages import code, rows


def sentences() -> dict[str, str]:
    """Dotted name and docstring of every setting that has one."""
    tree = ast.parse(inspect.getsource(settings))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    found: dict[str, str] = {}

    def walk(name: str, prefix: str) -> None:
        body = classes[name].body
        for at, line in enumerate(body):
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                if isinstance(line.annotation, ast.Name) and line.annotation.id in classes:
                    walk(line.annotation.id, f"{prefix}{line.target.id}.")
                elif at + 1 < len(body) and isinstance(below := body[at + 1], ast.Expr):
                    found[prefix + line.target.id] = ast.literal_eval(below.value)

    walk("Settings", "")
    return found


def test_the_page_says_of_each_setting_what_the_code_says() -> None:
    page = {code(row[0]): row[2] for row in rows("settings.md")}
    wanted = sentences()
    assert page == wanted
    assert all(text.endswith(".") and "\n" not in text for text in wanted.values())

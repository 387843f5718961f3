"""The cases: what is typed, and whether it finds a text. The same on every store."""

import pytest

from tests.features.search.finder import Finder

FOUND = [
    ("今天下午三点开会", "下午"),
    ("今天下午三点开会", "开会"),
    ("今天下午三点开会", "会"),
    ("今天下午三点开会", "今"),
    ("今天下午三点开会", "今天下午三点开会"),
    ("今天下午三点开会", "三点 今天"),
    ("请把文件给王小明看一下", "王小明"),
    ("请把文件给王小明看一下", "小明"),
    ("用Python写脚本", "Python"),
    ("用Python写脚本", "python写"),
    ("用Python写脚本", "用python"),
    ("用 Python 写脚本", "用Python写"),
    ("用Python写脚本", "脚本"),
    ("電腦軟體的發展", "电脑"),
    ("电脑软件的发展", "電腦"),
    ("裡面有一隻貓", "里面"),
    ("看著辦", "看着办"),
    ("Ｈｅｌｌｏ　Ｗｏｒｌｄ", "hello world"),
    ("HELLO", "hello"),
    ("Straße", "STRASSE"),
    ("e\u0301cole", "école"),
    ("Привет, мир", "привет"),
    ("こんにちは世界", "世界"),
    ("こんにちは世界", "にちは"),
    ("ﾊﾟｿｺﾝ", "パソコン"),
    ("안녕하세요", "안녕"),
    ("see https://ci.example.com/job/42?x=1", "example.com"),
    ("see https://ci.example.com/job/42?x=1", "https://ci.example.com/job/42"),
    ("see https://ci.example.com/job/42?x=1", "ci"),
    ("write to bob.smith@example.org", "bob.smith@example.org"),
    ("write to bob.smith@example.org", "smith"),
    ("call getUserName() twice", "getusername"),
    ("call getUserName() twice", "user"),
    ("set max_open_files", "open_files"),
    ("the model gpt4 is there", "gpt"),
    ("version 1.2.3", "1.2.3"),
    ("2024年5月31日", "5月"),
    ("to be or not to be", '"or not to"'),
    ("他说：“你好，世界”", "你好，世界"),
    ("你好世界", "你好，世界"),
    ("好的👍", "👍"),
    ("好的👍🏽", "👍"),
    ("a\u200bb", "ab"),
    ("x" * 100, "x" * 100),
    ("㍿東京", "株式会社"),
    ("don't", "don't"),
    ("C++ und Öl", "öl"),
]
NOT_FOUND = [
    ("今天下午三点开会", "上午"),
    ("今天下午三点开会", "天今"),
    ("今天下午三点开会", "下三"),
    ("人工的智能", "人工智能"),
    ("我很好。人们", "好人"),
    ("hello world", "hell"),
    ("hello world", '"world hello"'),
    ("hello world", "hello moon"),
    ("to be or not", '"be not"'),
    ("getUserName", "username2"),
    ("电脑", "电视"),
    ("x" * 100, "x" * 99),
]


@pytest.mark.parametrize(("text", "question", "found"), [(*one, True) for one in FOUND] + [(*one, False) for one in NOT_FOUND])
def test_pure(text: str, question: str, found: bool) -> None:
    """Without a store: the index has what is asked for whenever the text has it."""
    from hongyan.features.search.asking import Fields, read
    from hongyan.features.search.tokens import index_tokens, units
    from tests.features.search.finder import NOW

    terms = read(question, Fields(), NOW, most_length=500, most_terms=20).terms
    assert terms
    assert all(term.found_in(units(text)) for term in terms) is found
    if found:
        assert {token for term in terms for token in term.tokens()} <= index_tokens(text)


async def test_every_case_is_the_same_in_the_store(finder: Finder) -> None:
    group = await finder.home.group("alice", "bob")
    said = {text: (await finder.say("bob", group, text)).seq for text in dict.fromkeys(text for text, _ in FOUND + NOT_FOUND)}
    wrong = []
    for text, question in FOUND:
        if (group, said[text]) not in await finder.places("alice", question, limit=100):
            wrong.append(f"{question} does not find {text}")
    for text, question in NOT_FOUND:
        if (group, said[text]) in await finder.places("alice", question, limit=100):
            wrong.append(f"{question} finds {text}")
    assert not wrong

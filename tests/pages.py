"""A page taken apart: what it is made of, beside what it says."""

from __future__ import annotations

from html.parser import HTMLParser

# All that the page may be made of.
ELEMENTS = {
    "html": {"lang", "dir"},
    "head": set(),
    "meta": {"charset", "http-equiv", "content", "name"},
    "nav": {"lang", "dir"},
    "a": {"href", "class", "aria-label"},
    "title": {"id"},
    "style": set(),
    "body": set(),
    "header": set(),
    "blockquote": {"dir"},
    "h1": {"dir"},
    "ul": {"lang", "dir", "class"},
    "ol": set(),
    "li": {"class"},
    "strong": {"class"},
    "bdi": {"class"},
    "main": set(),
    "section": {"id", "lang", "dir"},
    "details": {"class", "lang", "dir"},
    "summary": set(),
    "figure": set(),
    "figcaption": set(),
    "svg": {"class", "viewbox", "role", "aria-labelledby"},
    "desc": {"id"},
    "rect": {"class", "x", "y", "width", "height"},
    "line": {"class", "x1", "x2", "y1", "y2"},
    "text": {"x", "y", "text-anchor"},
    "div": {"class"},
    "pre": {"class", "tabindex"},
    "table": set(),
    "thead": set(),
    "tbody": set(),
    "tr": set(),
    "th": {"scope"},
    "td": set(),
    "h2": {"lang", "dir"},
    "article": {"id"},
    "h3": set(),
    "p": {"dir", "class", "lang"},
    "footer": {"id", "lang", "dir"},
    "dl": set(),
    "dt": set(),
    "dd": set(),
}


class Page(HTMLParser):
    """What a page is made of, and what its articles say."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, set[str]]] = []
        self.asides: list[str] = []  # comments, declarations, instructions
        self.articles: list[str] = []
        self._in_article = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name for name, _ in attrs}))
        if tag == "article":
            self.articles.append("")
        self._in_article = self._in_article or tag == "article"

    def handle_endtag(self, tag: str) -> None:
        self._in_article = self._in_article and tag != "article"

    def handle_data(self, data: str) -> None:
        if self._in_article:
            self.articles[-1] += data

    def handle_comment(self, data: str) -> None:
        self.asides.append(data)

    def handle_decl(self, decl: str) -> None:
        self.asides.append(decl)

    handle_pi = unknown_decl = handle_comment

"""What every exported page is held to: axe-core in a real browser, and no raw Python in what it says."""

import re
from importlib.resources import files

# axe measures the contrast of every element, minutes for a report; elements of one class, size and pair of colours are
# alike in that, so the text of one of each stays.
ONE_OF_EACH = """() => {
  const backing = (it) => it && (getComputedStyle(it).backgroundColor.endsWith(", 0)") ? backing(it.parentElement) : getComputedStyle(it).backgroundColor);
  const seen = new Set();
  for (const it of Array.from(document.body.querySelectorAll("*"))) {
    const texts = Array.from(it.childNodes).filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!texts.length) continue;
    const { color, fontSize, fontWeight, opacity } = getComputedStyle(it);
    const key = [it.tagName, it.className, it.parentElement.className, color, backing(it), fontSize, fontWeight, opacity].join();
    if (seen.has(key)) for (const text of texts) text.data = "";
    seen.add(key);
  }
  for (const it of document.querySelectorAll("tr, .highlight span, li, p")) if (!it.textContent.trim()) it.remove();
}"""
# The lines that a picture is drawn of, thousands, are nothing to a reader: the picture is one image with one text.
DRAWN = """() => { for (const drawing of document.querySelectorAll("figure svg")) drawing.replaceChildren(); }"""
OPEN_FOLDS = """() => { for (const fold of document.querySelectorAll("details")) fold.open = true; }"""
AXE = """(rules) => axe.run(document, {resultTypes: ["violations"], ...rules}).then((found) => found.violations.map(
  (v) => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 160), v.nodes[0].failureSummary]))"""
RAW = [
    r"<class '", r"\b(?:Timestamp|Decimal|array|Interval|Timedelta|datetime\.\w+|np\.\w+)\(", r"Traceback \(", r"\w+Warning:",
    r"dtype:", r"<NA>", r"\bNaT\b", r"\d[eE]\+\d", r" at 0x[0-9a-f]{6}", r"<[A-Z]\w+: >",
]  # fmt: skip
ALONE = r"(?:nan|NaN|None|NaT|inf|-inf|True|False|null)"


def violations(tab, *rules, besides=()):
    """What axe-core finds on the page in `tab`: (impact, rule, elements, the first of them, how to mend it).

    ``rules``: only these; ``besides``: all but these.
    """
    if not tab.evaluate("'axe' in window"):
        tab.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    tab.evaluate(DRAWN)
    chosen = {"runOnly": list(rules)} if rules else {"rules": {name: {"enabled": False} for name in besides}}
    return tab.evaluate(AXE, chosen)


def contrast_in_both_schemes(tab):
    """What is too faint on the page in `tab`, light or dark, code unfolded; most of the page's words are gone afterwards."""
    tab.evaluate(OPEN_FOLDS)
    tab.evaluate(ONE_OF_EACH)
    found = []
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        found += [[scheme, *violation] for violation in violations(tab, "color-contrast")]
    return found


def raw_python(page):
    """Marks of Python in what a page shows or reads out (its code folds aside), each with what stands around it."""
    shown = re.sub(r'<(script|style)\b.*?</\1>|<details class="code">.*?</details>', " ", page, flags=re.S)
    spoken = " ".join(re.findall(r'(?:aria-label|alt|title)="([^"]*)"', shown))
    alone = re.findall(rf">\s*({ALONE})\s*<", shown) + re.findall(rf'="({ALONE})"', shown)
    text = re.sub(r"<[^>]+>", " ", shown) + spoken
    for name, sign in (("&lt;", "<"), ("&gt;", ">"), ("&#x27;", "'"), ("&quot;", '"')):
        text = text.replace(name, sign)
    found = [text[max(0, hit.start() - 30) : hit.end() + 30] for mark in RAW for hit in re.finditer(mark, text)]
    return alone + found

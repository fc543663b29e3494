"""One HTML file that loads nothing: the frame of every page."""

from collections.abc import Sequence
from html import escape

from landmark_zoo.core.provenance import git_commit
from landmark_zoo.report.style import STYLE

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
Section = tuple[str, str, str]


def document(title: str, header: str, sections: Sequence[Section]) -> str:
    """Puts sections under a header and a list of contents.

    Args:
        title: Of the window, plain text.
        header: HTML above the contents.
        sections: Anchor, heading and HTML of each.
    """
    links = "".join(f'<li><a href="#{anchor}">{heading}</a></li>' for anchor, heading, _ in sections)
    bodies = "\n".join(f'<section id="{anchor}"><h2>{heading}</h2>{body}</section>'
                       for anchor, heading, body in sections)
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
            f"<style>{STYLE}</style></head>\n<body>\n{header}\n"
            f'<nav aria-label="Contents"><ol>{links}</ol></nav>\n<main>{bodies}</main>\n'
            f"<footer>Made by landmark_zoo at commit {escape(git_commit())}.</footer>\n</body></html>\n")

"""What browsers are told to keep pages to: nothing of another host, no script within a page, no page within another's."""

from __future__ import annotations

_NOSNIFF = {"X-Content-Type-Options": "nosniff"}
STATIC_HEADERS = {**_NOSNIFF, "Cache-Control": "no-cache"}
"""Of files that belong to pages: kept, but asked for again, which a version of the service costs nothing."""


def page_headers(nonce: str) -> dict[str, str]:
    """Headers of a page.

    Parameters
    ----------
    nonce
        By which style sheets that a script makes are let in: Bokeh's.
    """
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'nonce-{nonce}'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        **_NOSNIFF,
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }

"""Text that would be markup, script or style where a page takes it for that."""

from __future__ import annotations

RUN = "__xss=1"
PAYLOADS = (
    f"<img src=x onerror={RUN}>",
    f"<svg/onload={RUN}>",
    f"</title><script>{RUN}</script>",
    f"\"'><b onmouseover={RUN}>",
    f"javascript:{RUN}",
    f"${{{RUN}}}{{{{{RUN}}}}}",
    f"<script>{RUN}</script>",
    f"<ScRiPt >{RUN}</sCrIpT >",
    f"<scr<script>ipt>{RUN}</script>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"<iframe src=javascript:parent.{RUN}>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}>",
    f"<object data=javascript:{RUN}>",
    f"<embed src=javascript:{RUN}>",
    f"<a href=javascript:{RUN}>a</a>",
    f"<form action=javascript:{RUN}><button>b</button></form>",
    f"<math href=javascript:{RUN}>m</math>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
    f"<svg><script>{RUN}</script></svg>",
    f"<style>@keyframes x{{}}</style><b style='animation:x' onanimationstart={RUN}>",
    f"<b style=position:fixed;inset:0 onclick={RUN}>",
    "<link rel=stylesheet href=//evil.example/a.css>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<img src=//evil.example/pixel>",
    f"' onfocus={RUN} autofocus x='",
    f'" onpointerover={RUN} x="',
    f"</textarea><img src=x onerror={RUN}>",
    f"--><img src=x onerror={RUN}><!--",
    f"]]><img src=x onerror={RUN}>",
    f"&lt;img src=x onerror={RUN}&gt;",
    f"<noscript><img src=x onerror={RUN}>",
    f"<template><img src=x onerror={RUN}></template>",
    f"`-{RUN}-`",
    f"';{RUN};//",
    f'\\";{RUN};//',
    f"<isindex type=image src=1 onerror={RUN}>",
    f"<marquee onstart={RUN}>m</marquee>",
    "<plaintext>",
)
FOREIGN = (
    "img, iframe, object, embed, base, math, video, audio, source, marquee, template, noscript, "
    "plaintext, isindex, animate, style, script:not([src]), meta[http-equiv], link[href*=evil], "
    "[href^='javascript:'], [action], [style*=fixed], [onerror], [onload], [onclick], [onfocus], "
    "[onmouseover], [onpointerover], [ontoggle], [onbegin], [onstart], [onanimationstart]"
)
"""What our own pages have none of, and these texts would bring."""
HARM = f"""() => [
  window.__xss,
  [...document.querySelectorAll(`{FOREIGN}`)].filter((node) => !node.matches("body > noscript"))
    .map((node) => node.outerHTML),
]"""
HARMLESS = [None, []]
_MOST = 110  # of a name, less what says which field it is


def _packed() -> list[str]:
    groups = [PAYLOADS[0]]
    for text in PAYLOADS[1:]:
        joined = f"{groups[-1]} {text}"
        groups[-1:] = [joined] if len(joined) <= _MOST else [groups[-1], text]
    return groups


GROUPS = _packed()
"""All of them, as many in one name as it holds."""

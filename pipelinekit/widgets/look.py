"""How a drawing looks: the inline styles of its parts.

Everything is inline, for JupyterLab takes `<style>` out of notebooks that are not trusted, and
those that a pipeline ran are not. There it drops theme variables too, so that each is preceded by
a plain value; and plain greys are translucent, so that they suit light and dark pages alike.
"""

from pipelinekit.wire.words import Tone

COLUMN = 196  # pixels: three columns fit into 700, six into 1400
GUTTER = 24
MOST_BESIDE = 3

_LINE = "rgba(128, 128, 128, 0.4)"
_BORDER = f"border:1px solid {_LINE};border:1px solid var(--jp-border-color2,{_LINE})"
_WRAP = "overflow-wrap:break-word;overflow-wrap:anywhere;min-width:0"
_MONO = (
    "font-family:monospace;"
    "font-family:var(--jp-code-font-family,ui-monospace,SFMono-Regular,Menlo,monospace)"
)
_LIST = "list-style:none;margin:0;padding:0"


FRAME = (
    "font-family:sans-serif;font-family:var(--jp-ui-font-family,system-ui,sans-serif);"
    "font-size:13px;line-height:1.45;color:inherit;color:var(--jp-ui-font-color1,inherit);"
    "text-align:left;max-width:100%;padding:2px 0"
)
HEAD = "display:flex;flex-wrap:wrap;align-items:center;gap:2px 10px;margin:0 0 2px 0"
TITLE = f"font-size:16px;font-weight:600;{_WRAP}"
QUIET = f"font-size:12px;opacity:0.75;{_WRAP}"
TIME = "flex:none;font-size:12px;opacity:0.75;white-space:nowrap"
NOTE = f"margin:0 0 2px 0;{QUIET}"
REVISION = f"margin:0 0 2px 0;{_WRAP}"
CODE = f"font-size:12px;{_MONO}"
ANCHOR = "color:inherit;text-decoration:underline"

STAGES = f"display:flex;flex-wrap:wrap;align-items:stretch;gap:10px 0;{_LIST};margin:10px 0 0 0"
STEP = "display:flex;align-items:stretch;max-width:100%;margin:0;padding:0"
ARROW = (
    f"align-self:center;flex:none;width:{GUTTER}px;text-align:center;font-size:20px;line-height:1;"
    "opacity:0.6"
)
STAGE_HEAD = "margin:0 0 8px 0"
STAGE_STATE = "margin:3px 0 0 0"
ENDS = "display:flex;justify-content:space-between;align-items:baseline;gap:8px"
STAGE_NAME = f"font-size:14px;font-weight:600;{_WRAP}"
BETWEEN = (
    f"margin:0 0 6px 0;padding:3px 7px;border-left:3px solid #d9a400;border-radius:4px;"
    f"background:rgba(217, 164, 0, 0.14);font-size:12px;{_WRAP}"
)
RULES = f"{_LIST};margin:6px 0 0 0"
RULE = "margin:0 0 5px 0;padding:0 0 0 7px;border-left:2px solid rgba(128, 128, 128, 0.4)"
RULE_STATE = "display:flex;flex-wrap:wrap;align-items:center;gap:2px 8px;margin:1px 0"
GROUPS = _LIST
GROUP = "margin:0;padding:0"
DOWN = "text-align:center;font-size:16px;line-height:1;padding:5px 0;opacity:0.6"
BESIDE = f"display:flex;flex-wrap:wrap;align-items:stretch;gap:8px;{_LIST}"
CARD_NAME = f"font-weight:600;{_WRAP}"
CARD_HEAD = "display:flex;align-items:center;gap:7px;margin:0 0 3px 0"
FACT = f"font-size:12px;{_WRAP}"
STATE = "display:flex;flex-wrap:wrap;align-items:center;gap:3px 8px;margin:5px 0 0 0"
SINGLE = f"{BESIDE};width:{COLUMN + GUTTER}px;max-width:100%"
BADGE = (
    "flex:none;display:inline-block;width:20px;line-height:20px;border-radius:4px;"
    "text-align:center;font-size:12px;font-weight:700;background:#47568c;color:#ffffff"
)
REFUSED = f"margin:0 0 2px 0;color:#c6221f;{_WRAP}"
TABLE = "border-collapse:collapse;margin:10px 0 0 0;width:100%;max-width:1100px"
ROW = "background:transparent"  # JupyterLab stripes the rows of tables
_CELL = f"text-align:left;vertical-align:top;padding:5px 10px;font-size:13px;{_WRAP}"
HEADING = f"{_CELL};font-weight:600;font-size:12px;opacity:0.75;border-bottom:1px solid {_LINE}"
CELL = f"{_CELL};background:transparent;border-bottom:1px solid rgba(128, 128, 128, 0.2)"
WIDE_CELL = f"{_CELL};padding-top:9px;background:rgba(128, 128, 128, 0.09)"
PANELS = f"{_LIST};margin:12px 0 0 0"
PANEL_HEAD = "display:flex;flex-wrap:wrap;align-items:center;gap:2px 10px;margin:0"
QUOTE = f"margin:4px 0 2px 0;{_WRAP}"
LOG = (
    f"margin:6px 0 0 0;padding:6px 8px;border-radius:4px;font-size:12px;line-height:1.4;{_MONO};"
    "background:rgba(128, 128, 128, 0.12);color:inherit;white-space:pre-wrap;"
    "overflow-wrap:anywhere"
)

_SOLID = {
    Tone.GOOD: ("#1d7a33", "#ffffff"),
    Tone.BAD: ("#c6221f", "#ffffff"),
    Tone.BUSY: ("#0b66c3", "#ffffff"),
    Tone.ASKING: ("#ffd45c", "#1b1b1b"),
    Tone.OVER: ("#5f6b7a", "#ffffff"),
}


def pill(tone: Tone) -> str:
    """Give the style of a status: its own two colours, so that it reads on any page."""
    ground, ink = _SOLID.get(tone, ("transparent", "inherit"))
    return (
        f"display:inline-block;border-radius:10px;padding:0 6px;font-size:11px;line-height:18px;"
        f"font-weight:600;white-space:nowrap;border:1px solid {_edge(tone)};background:{ground};"
        f"color:{ink}"
    )


def stage(beside: int) -> str:
    """Give the style of a stage that has so many actions side by side."""
    columns = min(max(beside, 1), MOST_BESIDE)
    width = columns * COLUMN + (columns - 1) * GUTTER
    return (
        f"box-sizing:border-box;width:{width}px;max-width:100%;min-width:0;{_BORDER};"
        f"border-radius:8px;padding:8px 10px 10px 10px;background:rgba(128, 128, 128, 0.07)"
    )


def card(tone: Tone | None) -> str:
    """Give the style of an action."""
    return (
        f"box-sizing:border-box;flex:1 1 160px;max-width:100%;min-width:0;margin:0;"
        f"{_BORDER};border-left:4px solid {_edge(tone)};border-radius:6px;padding:7px 7px 7px 8px;"
        f"background:rgba(128, 128, 128, 0.06);"
        f"background:var(--jp-layout-color1,rgba(128, 128, 128, 0.06))"
    )


def panel(tone: Tone) -> str:
    """Give the style of what is told about one action below the drawing."""
    return (
        f"box-sizing:border-box;max-width:100%;margin:0 0 8px 0;padding:7px 12px;{_BORDER};"
        f"border-left:4px solid {_edge(tone)};border-radius:6px"
    )


def _edge(tone: Tone | None) -> str:
    return _SOLID[tone][0] if tone in _SOLID else _LINE

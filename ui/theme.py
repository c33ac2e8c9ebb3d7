"""The look: palette, type and shape, for light and dark alike.

Every colour is named once, in LIGHT and DARK, by what it is for. From there it goes into gradio's theme variables and,
as --pm-NAME, into the style sheets, so that a test can compute every contrast that a person sees. They are part of
the theme (gradio serves all as one file, unaltered; through css_paths it would be rewritten in the browser,
which drops what its parser does not know). Fonts are files that gradio carries and serves itself: nothing is fetched
from another host. Of the families it carries only some have their Latin letters; IBM Plex has, in 400 and 700.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import gradio as gr
from gradio.themes.utils.colors import Color
from gradio.themes.utils.fonts import LocalFont
from gradio.themes.utils.sizes import Size

ASSETS = Path(__file__).parent.parent / "assets"
SHEETS = ("style", "chat", "xray", "image", "speech", "enhance", "music", "code", "video", "shape")
STYLES = tuple(ASSETS / f"{name}.css" for name in SHEETS)
ICON = ASSETS / "icon.svg"


@dataclass(frozen=True)
class Palette:
    """Colours by what they are for. What stands on a `*_soft` colour is written in ink or in the same family."""

    ground: str  # the page
    surface: str  # inputs, cards, menus
    raised: str  # what lies on a sunken rail
    sunken: str  # code, tracks, wells
    hover: str  # a quiet control under the pointer
    line: str  # hairlines
    edge: str  # what must be seen to be used: check boxes, handles
    ink: str
    muted: str  # labels, secondary text
    faint: str  # placeholders, hints
    accent: str  # the one thing to press
    accent_hover: str
    on_accent: str
    accent_ink: str  # links, the selected tab, focus rings
    accent_soft: str  # what the visitor said
    ticked: str  # chosen boxes, under gradio's tick, which is always white
    warm: str  # attention: waiting, nearly full
    blue: str  # names in code
    violet: str  # with accent, blue and warm, where four things must be told apart
    bad: str
    bad_soft: str


LIGHT = Palette(
    ground="#f6f7f5",
    surface="#ffffff",
    raised="#ffffff",
    sunken="#edf0ed",
    hover="#e6eae7",
    line="#dfe4e0",
    edge="#7a8781",
    ink="#15211d",
    muted="#4f5f59",
    faint="#5e6d67",
    accent="#0c6a58",
    accent_hover="#095445",
    on_accent="#ffffff",
    accent_ink="#0c6a58",
    accent_soft="#dcefe7",
    ticked="#0c6a58",
    warm="#9a4a12",
    blue="#1b5c87",
    violet="#7b3f94",
    bad="#b3261e",
    bad_soft="#fbe9e7",
)

DARK = Palette(
    ground="#0f1513",
    surface="#171f1c",
    raised="#303d38",
    sunken="#1e2724",
    hover="#24302c",
    line="#29342f",
    edge="#74847d",
    ink="#e7eeea",
    muted="#a9b7b1",
    faint="#8f9e97",
    accent="#7fdcc2",
    accent_hover="#a2ead5",
    on_accent="#05251d",
    accent_ink="#7fdcc2",
    accent_soft="#18382f",
    ticked="#1d8a75",
    warm="#f0b37e",
    blue="#8fc8ec",
    violet="#d0a2e8",
    bad="#ff9d92",
    bad_soft="#3d211e",
)

# Ramps for the few gradio components that reach past the theme's variables.
VERDIGRIS = Color(
    *("#eef8f4", "#dcefe7", "#bde3d6", "#a2ead5", "#7fdcc2", "#1d917b", "#0f7a66", "#0c6a58", "#095445", "#0b4439"),
    "#05251d",
    name="verdigris",
)
MIST = Color(
    *("#f6f7f5", "#edf0ed", "#dfe4e0", "#c5cec9", "#94a29b", "#64736d", "#4f5f59", "#394742", "#24302c", "#171f1c"),
    "#0f1513",
    name="mist",
)

TYPE = Size("11px", "12px", "13px", "15px", "16px", "20px", "26px", name="text_polymuse")
SPACE = Size("2px", "3px", "5px", "7px", "10px", "14px", "20px", name="spacing_polymuse")
ROUND = Size("2px", "4px", "6px", "10px", "12px", "16px", "24px", name="radius_polymuse")


class Polymuse(gr.themes.Base):
    """The theme; `theme=Polymuse()` at launch is the whole look."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=VERDIGRIS,
            secondary_hue=VERDIGRIS,
            neutral_hue=MIST,
            text_size=TYPE,
            spacing_size=SPACE,
            radius_size=ROUND,
            font=[LocalFont("IBM Plex Sans", weights=(400, 700)), "ui-sans-serif", "system-ui", "sans-serif"],
            font_mono=[LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "Consolas", "monospace"],
        )
        self.name = "polymuse"
        self.set(**_variables())
        sheets = "\n".join(sheet.read_text("utf-8") for sheet in STYLES)
        self.custom_css = f"{_declare(':root', LIGHT)}\n{_declare(':root .dark', DARK)}\n{sheets}"


def _declare(selector: str, palette: Palette) -> str:
    colours = "".join(f"--pm-{name.replace('_', '-')}:{value};" for name, value in asdict(palette).items())
    return f"{selector}{{{colours}}}"


def _variables() -> dict[str, str]:
    """Gradio's variables: colours by their names in the palette, then shape, which is the same in both modes."""
    colours = {
        "body_background_fill": "ground",
        "body_text_color": "ink",
        "body_text_color_subdued": "muted",
        "background_fill_primary": "surface",
        "background_fill_secondary": "sunken",
        "border_color_primary": "line",
        "border_color_accent": "accent_ink",
        "border_color_accent_subdued": "line",
        "color_accent_soft": "accent_soft",
        "link_text_color": "accent_ink",
        "link_text_color_hover": "ink",
        "link_text_color_active": "accent_ink",
        "link_text_color_visited": "accent_ink",
        "code_background_fill": "sunken",
        "accordion_text_color": "ink",
        "block_background_fill": "surface",
        "block_border_color": "line",
        "block_info_text_color": "muted",
        "block_label_background_fill": "surface",
        "block_label_border_color": "line",
        "block_label_text_color": "muted",
        "block_title_text_color": "ink",
        "panel_background_fill": "surface",
        "panel_border_color": "line",
        "input_background_fill": "surface",
        "input_background_fill_focus": "surface",
        "input_background_fill_hover": "surface",
        "input_border_color": "line",
        "input_border_color_hover": "edge",
        "input_border_color_focus": "accent_ink",
        "input_placeholder_color": "faint",
        "checkbox_background_color": "surface",
        "checkbox_background_color_focus": "surface",
        "checkbox_background_color_hover": "hover",
        "checkbox_background_color_selected": "ticked",
        "checkbox_border_color": "edge",
        "checkbox_border_color_focus": "accent_ink",
        "checkbox_border_color_hover": "ink",
        "checkbox_border_color_selected": "ticked",
        "checkbox_label_background_fill": "surface",
        "checkbox_label_background_fill_hover": "hover",
        "checkbox_label_background_fill_selected": "accent_soft",
        "checkbox_label_border_color": "line",
        "checkbox_label_text_color": "ink",
        "checkbox_label_text_color_selected": "ink",
        "slider_color": "accent",
        "loader_color": "accent_ink",
        "stat_background_fill": "accent",
        "error_background_fill": "bad_soft",
        "error_border_color": "bad",
        "error_icon_color": "bad",
        "error_text_color": "bad",
        "table_border_color": "line",
        "table_even_background_fill": "surface",
        "table_odd_background_fill": "surface",
        "table_row_focus": "accent_soft",
        "table_text_color": "ink",
        **_button("primary", "accent", "accent_hover", "accent", "on_accent"),
        **_button("secondary", "surface", "hover", "line", "ink"),
        **_button("cancel", "surface", "bad_soft", "bad", "bad"),
    }
    return {
        **{name: getattr(LIGHT, colour) for name, colour in colours.items()},
        **{f"{name}_dark": getattr(DARK, colour) for name, colour in colours.items()},
        **{f"button_{kind}_shadow": "none" for kind in ("primary", "secondary", "cancel")},
        "color_accent": "var(--pm-accent-ink)",  # gradio has no dark twin of this one
        "block_border_width": "1px",
        "block_label_border_width": "0px",
        "block_label_text_size": "*text_sm",
        "block_title_text_size": "*text_sm",
        "block_title_text_weight": "400",
        "block_info_text_size": "*text_xs",
        "block_radius": "*radius_lg",
        "container_radius": "*radius_lg",
        "input_radius": "*radius_md",
        "input_border_width": "1px",
        "input_padding": "10px 14px",
        "checkbox_border_width": "1px",
        "checkbox_label_border_width": "1px",
        "button_border_width": "1px",
        "button_large_padding": "10px 20px",
        "button_large_text_size": "*text_md",
        "button_large_text_weight": "700",
        "button_medium_padding": "8px 16px",
        "button_medium_text_weight": "400",
        "button_small_padding": "5px 11px",
        "button_transition": "background-color .15s ease, border-color .15s ease, color .15s ease",
        "form_gap_width": "0px",
        "layout_gap": "20px",
        "shadow_drop": "none",
        "shadow_drop_lg": "0 10px 30px rgb(8 24 18 / 0.14)",
        "shadow_inset": "none",
        "chatbot_text_size": "*text_md",
        "section_header_text_size": "*text_md",
    }


def _button(kind: str, fill: str, hover: str, border: str, text: str) -> dict[str, str]:
    return {
        f"button_{kind}_background_fill": fill,
        f"button_{kind}_background_fill_hover": hover,
        f"button_{kind}_border_color": border,
        f"button_{kind}_border_color_hover": border,
        f"button_{kind}_text_color": text,
        f"button_{kind}_text_color_hover": text,
    }

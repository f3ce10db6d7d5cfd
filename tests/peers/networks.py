"""The networks of a weight file as PyTorch modules, arranged as suits an inference runtime best: the weights of convolutions
stay constant, styles scale the activations before them and demodulation those after, noise is added as stored. The names are
those of stylegan.h, which specifies the file under >>weight-file and the networks under >>architecture."""
import math
import re
import struct
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F

HEADER = Path(__file__).resolve().parents[2] / "stylegan.h"


class Weights:
    """A weight file: .config by the names of STYLEGAN_CONFIG_FIELDS, .tensors as float32 arrays."""

    def __init__(self, path):
        data = Path(path).read_bytes()
        assert data[:4] == b"\x89SGW", f"{path}: not a weight file"
        fields, tensors = struct.unpack_from("<II", data, 40)
        declared = re.search(r"#define STYLEGAN_CONFIG_FIELDS\(X\)(.*?)\n\n", HEADER.read_text(), re.S).group(1)
        self.config = {}
        for i, (kind, name) in enumerate(re.findall(r"X\((\w+), (\w+),", declared)[:fields]):
            self.config[name], = struct.unpack_from("<f" if kind == "float" else "<i", data, 64 + 4 * i)
        directory = 64 + (4 * fields + 63) // 64 * 64
        self.tensors = {}
        for entry in range(directory, directory + 64 * tensors, 64):
            name, kind, dimensions, *shape, offset = struct.unpack_from("<32sIi4iQ", data, entry)
            shape = shape[:dimensions]
            assert kind < 2, f"{path}: f32 or f16 weights are needed"
            values = numpy.frombuffer(data, ("<f4", "<f2")[kind], math.prod(shape), offset)
            self.tensors[name.rstrip(b"\0").decode()] = values.reshape(shape).astype(numpy.float32)

    def resolutions(self):
        return sorted(int(name[1:-len(".conv1.weight")]) for name in self.tensors if re.match(r"b\d+\.conv1\.weight$", name))


class Layer(torch.nn.Module):
    """What is common: the tensors below a name, as constants."""

    def __init__(self, weights, name):
        super().__init__()
        prefix = name + "."
        for tensor, values in weights.tensors.items():
            if tensor.startswith(prefix):
                self.keep(tensor[len(prefix):].replace(".", "_"), torch.from_numpy(values))
        self.bias = self.bias[:, None, None]

    def keep(self, name, values):
        self.register_buffer(name, values.contiguous())

    def keep_noise(self):
        noise = getattr(self, "noise", torch.zeros(1, 1)) * getattr(self, "noise_strength", torch.zeros(1))[:, None, None]
        self.keep("noise", noise[None])

    def style(self, w):
        return w @ self.affine_weight + self.affine_bias


def filter_of(weights, channels, gain=1):
    """The low-pass filter, for each channel by itself."""
    return torch.from_numpy(weights.tensors["fir"] * gain)[None, None].repeat(channels, 1, 1, 1)


# --- StyleGAN ---


class AdaINLayer(Layer):
    """conv0 and conv1 of a block, or, without weight, the epilogue of the constant."""

    FUSED = 128  # from this resolution on, up-sampling and convolution are one, as in the official networks

    def __init__(self, weights, name, up, gain):
        super().__init__(weights, name)
        self.keep_noise()
        self.gain, self.up = gain, up
        self.fused = up and int(name[1:].split(".")[0]) >= self.FUSED
        if not hasattr(self, "weight"):
            return
        if self.fused:  # each value of the nearest-neighbour up-sampling is there twice in both directions
            w = self.weight.permute(2, 3, 0, 1)
            self.weight = sum(F.pad(w, (x, 1 - x, y, 1 - y)) for x in (0, 1) for y in (0, 1)).contiguous()
        else:  # up-sampling scatters, which turns the taps round
            w = self.weight.permute(3, 2, 0, 1)
            self.weight = (w.flip(2, 3) if up else w).contiguous()
        if up:
            self.keep("fir", filter_of(weights, self.bias.shape[0]))

    def forward(self, x, w):
        if self.fused:
            x = F.conv_transpose2d(x, self.weight, stride=2, padding=1)
        elif self.up:
            x = F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), self.weight, padding=1)
        elif hasattr(self, "weight"):
            x = F.conv2d(x, self.weight, padding=1)
        if self.up:
            x = F.conv2d(x, self.fir, padding=1, groups=x.shape[1])
        x = F.leaky_relu(x + self.noise + self.bias, 0.2) * self.gain
        scale, shift = self.style(w)[:, :, None, None].chunk(2, 1)
        return F.instance_norm(x, eps=1e-8) * scale + shift


class StyleGAN1(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        resolutions = weights.resolutions()
        gain = weights.config["activation_gain"]
        self.register_buffer("const", torch.from_numpy(weights.tensors["b4.const"]).permute(2, 0, 1)[None].contiguous())
        self.layers = torch.nn.ModuleList(
            AdaINLayer(weights, f"b{r}.conv{i}", up=i == 0 and r > 4, gain=gain) for r in resolutions for i in (0, 1))
        self.rgb = Layer(weights, f"b{resolutions[-1]}.torgb")
        self.rgb.weight = self.rgb.weight.permute(3, 2, 0, 1).contiguous()

    def forward(self, ws):
        x = self.const
        for i, layer in enumerate(self.layers):
            x = layer(x, ws[:, i])
        return F.conv2d(x, self.rgb.weight) + self.rgb.bias


# --- StyleGAN 2 ---


class ModulatedLayer(Layer):
    def __init__(self, weights, name, up, gain):
        super().__init__(weights, name)
        self.keep_noise()
        self.gain, self.up = gain, up
        self.keep("squares", self.weight.square().sum((0, 1)))
        self.weight = self.weight.permute(2, 3, 0, 1).contiguous() if up else self.weight.permute(3, 2, 0, 1).contiguous()
        if up:
            self.keep("fir", filter_of(weights, self.bias.shape[0], 4))

    def forward(self, x, w):
        style = self.style(w)
        x = x * style[:, :, None, None]
        if self.up:
            x = F.conv2d(F.conv_transpose2d(x, self.weight, stride=2), self.fir, padding=1, groups=self.fir.shape[0])
        else:
            x = F.conv2d(x, self.weight, padding=1)
        x = x * torch.rsqrt(style.square() @ self.squares + 1e-8)[:, :, None, None]
        return F.leaky_relu(x + self.noise + self.bias, 0.2) * self.gain


class ToRGB(Layer):
    def __init__(self, weights, name):
        super().__init__(weights, name)
        self.weight = self.weight.permute(3, 2, 0, 1).contiguous()

    def forward(self, x, w):
        return F.conv2d(x * self.style(w)[:, :, None, None], self.weight) + self.bias


class StyleGAN2(torch.nn.Module):
    """The architecture with an image summed over the resolutions (skip)."""

    def __init__(self, weights):
        super().__init__()
        assert weights.config["architecture"] == 0 and not weights.config["conv_clamp"], "only skip, without clamp"
        resolutions, gain = weights.resolutions(), weights.config["activation_gain"]
        self.register_buffer("const", torch.from_numpy(weights.tensors["b4.const"]).permute(2, 0, 1)[None].contiguous())
        self.conv0 = torch.nn.ModuleList(ModulatedLayer(weights, f"b{r}.conv0", True, gain) for r in resolutions[1:])
        self.conv1 = torch.nn.ModuleList(ModulatedLayer(weights, f"b{r}.conv1", False, gain) for r in resolutions)
        self.rgb = torch.nn.ModuleList(ToRGB(weights, f"b{r}.torgb") for r in resolutions)
        self.register_buffer("fir", filter_of(weights, weights.config["channels"], 4))

    def forward(self, ws):
        x = self.conv1[0](self.const, ws[:, 0])
        image = self.rgb[0](x, ws[:, 1])
        for i, conv0 in enumerate(self.conv0):
            x = self.conv1[i + 1](conv0(x, ws[:, 2 * i + 1]), ws[:, 2 * i + 2])
            image = F.conv_transpose2d(image, self.fir, stride=2, padding=1, groups=image.shape[1])
            image = image + self.rgb[i + 1](x, ws[:, 2 * i + 3])
        return image


def load(path):
    weights = Weights(path)
    return {1: StyleGAN1, 2: StyleGAN2}[weights.config["family"]](weights).eval().requires_grad_(False)

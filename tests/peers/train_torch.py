"""train_torch.py MODEL.sgw [THREADS [STEPS]]: images a second that PyTorch trains with, steps as those of the trainer's StyleGAN
1 with the logistic loss: batches of 16, both networks, R1 in every fourth step, style mixing aside. The generator is that of
the weight file; the discriminator has the same channels, as tools/grad/discriminator.h describes it; pictures are noise."""
import sys
import time

import torch
import torch.nn.functional as F

from networks import Weights, StyleGAN1

BATCH, R1_INTERVAL, R1_GAMMA, RATE = 16, 4, 1.0, 0.002


class Generator(torch.nn.Module):
    """Mapping and synthesis, from the constants of a weight file to parameters."""

    def __init__(self, weights):
        super().__init__()
        self.synthesis = StyleGAN1(weights)
        for layer in self.synthesis.modules():
            for name in [n for n in layer._buffers if n not in ("fir", "noise")]:
                values = layer._buffers.pop(name)
                layer.register_parameter(name, torch.nn.Parameter(values.clone()))
        self.depth = weights.config["mapping_layers"]
        for i in range(self.depth):
            for part in ("weight", "bias"):
                values = torch.from_numpy(weights.tensors[f"mapping.fc{i}.{part}"])
                self.register_parameter(f"{part}{i}", torch.nn.Parameter(values.clone()))

    def forward(self, z):
        w = z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)
        for i in range(self.depth):
            w = F.leaky_relu(w @ getattr(self, f"weight{i}") + getattr(self, f"bias{i}"), 0.2)
        return self.synthesis(w[:, None].expand(-1, len(self.synthesis.layers), -1))


class Discriminator(torch.nn.Module):
    def __init__(self, channels, image_channels):
        super().__init__()
        conv = lambda inputs, outputs, kernel: torch.nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        self.from_rgb = conv(image_channels, channels[-1], 1)
        self.conv0 = torch.nn.ModuleList(conv(c, c, 3) for c in channels[:0:-1])
        self.conv1 = torch.nn.ModuleList(conv(c, below, 3) for c, below in zip(channels[:0:-1], channels[-2::-1]))
        self.conv = conv(channels[0] + 1, channels[0], 3)
        self.dense0, self.dense1 = torch.nn.Linear(16 * channels[0], channels[0]), torch.nn.Linear(channels[0], 1)
        taps = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("blur", (taps[:, None] * taps)[None, None])

    def forward(self, image):
        x = F.leaky_relu(self.from_rgb(image), 0.2)
        for conv0, conv1 in zip(self.conv0, self.conv1):
            x = F.leaky_relu(conv0(x), 0.2)
            x = F.conv2d(x, self.blur.expand(x.shape[1], -1, -1, -1), padding=1, groups=x.shape[1])
            x = F.leaky_relu(F.avg_pool2d(conv1(x), 2), 0.2)
        groups = x.reshape(4, -1, *x.shape[1:])
        deviation = (groups.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
        x = torch.cat([x, deviation[None, :, None, None, None].expand(4, -1, 1, 4, 4).reshape(-1, 1, 4, 4)], 1)
        x = F.leaky_relu(self.dense0(F.leaky_relu(self.conv(x), 0.2).flatten(1)), 0.2)
        return self.dense1(x)


def train_step(generator, discriminator, g_optimizer, d_optimizer, reals, z, penalty):
    reals.requires_grad_(penalty)
    fakes = generator(z)
    real_scores = discriminator(reals)
    loss = F.softplus(discriminator(fakes.detach())).mean() + F.softplus(-real_scores).mean()
    if penalty:
        gradient, = torch.autograd.grad(real_scores.sum(), reals, create_graph=True)
        loss = loss + R1_GAMMA / 2 * R1_INTERVAL * gradient.square().sum((1, 2, 3)).mean()
    d_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    d_optimizer.step()
    discriminator.requires_grad_(False)
    g_optimizer.zero_grad(set_to_none=True)
    F.softplus(-discriminator(fakes)).mean().backward()
    g_optimizer.step()
    discriminator.requires_grad_(True)


def main():
    weights = Weights(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else torch.get_num_threads())
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    channels = [weights.tensors[f"b{r}.conv1.weight"].shape[3] for r in weights.resolutions()]
    generator = Generator(weights)
    discriminator = Discriminator(channels, weights.config["channels"])
    optimizers = [torch.optim.Adam(n.parameters(), RATE, (0.0, 0.99)) for n in (generator, discriminator)]
    side = weights.config["height"]
    reals = torch.randn(BATCH, weights.config["channels"], side, side)
    start = time.perf_counter()
    for step in range(-R1_INTERVAL, steps):  # the first ones warm up
        if step == 0:
            start = time.perf_counter()
        z = torch.randn(BATCH, weights.config["z_dim"])
        train_step(generator, discriminator, *optimizers, reals.detach(), z, step % R1_INTERVAL == 0)
    print(f"{BATCH * steps / (time.perf_counter() - start):.1f} images a second")


main()

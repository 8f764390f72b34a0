"""Map of a run's latent space, found while nothing else is rendered."""

import numpy as np

from noisygan.rendering.landscape import NAMES, chart, measure
from noisygan.studio.requests import parse

N_LATENTS = 160


def explore(player, found, n_latents=N_LATENTS):
    """Render latents of a `player.Player`, one at each step, and find their landscape.

    `found` is called with it (see `noisygan.rendering.landscape.chart`) at the end; yields the
    number of latents rendered.
    """
    latents, features, described = player.latents(range(n_latents)), [], []
    n_labels = max(len(player.facts()["labels"]), 1)
    for i, z in enumerate(latents):
        body = {"z": z.tolist(), "label": i % n_labels}
        audio = player.render(parse(body, player)).audio
        measured, facts = measure(audio, player.sample_rate)
        features.append(measured)
        described.append(facts)
        yield i + 1
    columns = {name: np.array([facts[name] for facts in described]) for name in NAMES}
    found(chart(latents, np.array(features), columns, np.arange(n_latents) % n_labels))

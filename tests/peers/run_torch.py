"""run_torch.py MODEL.sgw WS.npy THREADS RUNS IMAGE.f32: draws with PyTorch; a line {"seconds": S} for every timed run, and
the image as float32. With a file .onnx in place of the last three it is exported instead."""
import json
import sys
import time

import numpy
import torch

from networks import load

model, styles = sys.argv[1:3]
network, ws = load(model), torch.from_numpy(numpy.load(styles))
if len(sys.argv) == 4:
    torch.onnx.export(network, (ws,), sys.argv[3], opset_version=13, input_names=["ws"], output_names=["image"])
    sys.exit()
threads, runs, image = int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
torch.set_num_threads(threads)
with torch.inference_mode():
    network(ws).numpy().tofile(image)  # and warms up
    network(ws)
    for _ in range(runs):
        start = time.perf_counter()
        network(ws)
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)

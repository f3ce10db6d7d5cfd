// run_onnx.mjs PACKAGE MODEL.onnx WS.f32 NUM_WS THREADS RUNS IMAGE.f32: draws with ONNX Runtime, PACKAGE being onnxruntime-node
// (native) or onnxruntime-web (WebAssembly), found from the current folder; a line {"seconds": S} for every timed run, and the
// image as float32.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const [name, path, styles, layers, threads, runs, image] = process.argv.slice(2);
const ort = createRequire(`${process.cwd()}/`)(name);
const web = name === 'onnxruntime-web';
const options = { graphOptimizationLevel: 'all', executionMode: 'sequential' };
if (web) {
  ort.env.wasm.numThreads = Number(threads);
  options.executionProviders = ['wasm'];
} else {
  options.intraOpNumThreads = Number(threads);
  options.interOpNumThreads = 1;
}
const session = await ort.InferenceSession.create(web ? new Uint8Array(fs.readFileSync(path)) : path, options);
const bytes = fs.readFileSync(styles);
const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const ws = new ort.Tensor('float32', values, [1, Number(layers), values.length / Number(layers)]);
const first = await session.run({ ws });
fs.writeFileSync(image, new Uint8Array(first.image.data.buffer, first.image.data.byteOffset, first.image.data.byteLength));
await session.run({ ws });
for (let i = 0; i < Number(runs); i++) {
  const start = performance.now();
  await session.run({ ws });
  console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000 }));
}
process.exit(0);

// bench.mjs ENGINE.wasm MODEL.sgw [RUNS] - seconds per image in Node, one thread, one JSON line a run. In Node before 22
// the relaxed engine needs --experimental-wasm-relaxed-simd.
import { readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { Engine } from './stylegan.mjs';

const [engine, model, runs = 5] = argv.slice(2);
const network = new Engine(new WebAssembly.Module(readFileSync(engine)), new Uint8Array(readFileSync(model)).buffer);
const ws = network.map(network.seed(85));
for (let run = -2; run < runs; run++) { // the first two warm up
  const start = performance.now();
  network.synthesize(ws);
  if (run >= 0) console.log(JSON.stringify({ run, seconds: (performance.now() - start) / 1000 }));
}

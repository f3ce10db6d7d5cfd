// run_browser.mjs NETWORK: times one image in Chromium, one thread: the plain and the relaxed engine of the playground and
// ONNX Runtime's WebAssembly, in turn, best of three each. Run compare.py with --peer onnx-web before: it makes the network, the
// graph and the styles in build/peers. Needs `make playground`, chromium and playwright-core in build/browser.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url).pathname, network = process.argv[2], ROUNDS = 3;
const { chromium } = createRequire(`${root}build/browser/`)('playwright-core');
const kinds = { mjs: 'text/javascript', wasm: 'application/wasm' };
const server = createServer((request, response) => {
  const kind = kinds[request.url.split('.').pop()] ?? (request.url === '/' ? 'text/html' : 'application/octet-stream');
  const path = root + request.url.slice(1), known = request.url === '/' || existsSync(path);
  response.writeHead(known ? 200 : 404, { 'content-type': kind });
  response.end(known && request.url !== '/' ? readFileSync(path) : '<!doctype html>');
}).listen(0);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage();
await page.goto(`http://localhost:${server.address().port}/`);
await page.evaluate(() => {
  window.load = async path => (await fetch(path)).arrayBuffer();
  window.best = async draw => { // the first one warms up
    await draw();
    let least = Infinity;
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      await draw();
      least = Math.min(least, performance.now() - start);
    }
    return least / 1000;
  };
});
const ours = engine => page.evaluate(async ([name, file]) => {
  const { Engine } = await import('/examples/playground/stylegan.mjs');
  const opened = new Engine(await WebAssembly.compile(await load(`/build/playground/${file}`)), await load(`/build/peers/${name}.sgw`));
  const ws = opened.map(opened.seed(1));
  return best(() => opened.synthesize(ws));
}, [network, engine]);
const theirs = () => page.evaluate(async name => {
  const packageFolder = '/build/peers/node_modules/onnxruntime-web/dist/';
  const ort = await import(`${packageFolder}ort.wasm.min.mjs`);
  Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths: packageFolder });
  const options = { graphOptimizationLevel: 'all', executionMode: 'sequential', executionProviders: ['wasm'] };
  const session = await ort.InferenceSession.create(new Uint8Array(await load(`/build/peers/${name}.onnx`)), options);
  const values = new Float32Array(await load(`/build/peers/${name}-ws.f32`)), layers = session.inputMetadata[0].shape[1];
  const ws = new ort.Tensor('float32', values, [1, layers, values.length / layers]);
  const seconds = await best(() => session.run({ ws }));
  await session.release();
  return seconds;
}, network);

console.log(`Chromium ${browser.version()}, ${network}, one thread`);
for (let round = 0; round < ROUNDS; round++) {
  const [plain, relaxed, peer] = [await ours('stylegan.wasm'), await ours('stylegan-relaxed.wasm'), await theirs()];
  console.log(`onnxruntime-web ${peer.toFixed(3)} s; ours ${plain.toFixed(3)} s, ratio ${(peer / plain).toFixed(2)}; ` +
    `relaxed ${relaxed.toFixed(3)} s, ratio ${(peer / relaxed).toFixed(2)}`);
}
await browser.close();
server.close();

// stylegan.mjs - StyleGAN in the browser: the library stylegan.h, compiled to WebAssembly, in a pool of Workers.
//
//     import { open } from './stylegan.mjs';
//     const network = await open(await (await fetch('portraits-64.sgw')).arrayBuffer());
//     await network.draw(canvas, 85, { psi: 0.7 });
//
// README.md beside this file tells the rest, stylegan.d.mts has the types.

// One network in one WebAssembly instance, in the thread that calls it. It is sent to the Workers as text, so it knows
// nothing outside itself.
export class Engine {
  static layerNumbers = ['in', 'out', 'height', 'width', 'ws', 'styles', 'noise', 'stripRows', 'points', 'macs', 'weightBytes'];
  static noiseModes = ['const', 'random', 'none'];

  #wasm;
  #inspect = () => {};
  #buffers = {};

  // module: a compiled WebAssembly.Module; file: an ArrayBuffer with a .sgw file
  constructor(module, file) {
    const imports = { Math, page: { inspect: (...layer) => this.#inspect(...layer) } };
    this.#wasm = new WebAssembly.Instance(module, imports).exports;
    const data = this.#reserve(file.byteLength);
    this.#bytes(data, file.byteLength).set(new Uint8Array(file));
    this.#check(this.#wasm.open_network(data, file.byteLength));
    this.config = this.#readConfig();
    this.layers = this.#readLayers();
    const { height, width, channels, num_ws, w_dim } = this.config;
    this.#buffers = {
      z: this.#reserve(4 * this.config.z_dim),
      labels: this.#reserve(4 * this.config.c_dim),
      ws: this.#reserve(4 * num_ws * w_dim),
      image: this.#reserve(4 * height * width * channels),
      pixels: this.#reserve(height * width * channels),
      perLayer: this.#reserve(12 * this.layers.length),
      values: 0,
      offsets: this.layers.map(() => 0),
    };
  }

  // What does not change: sent to the page once.
  describe() {
    const length = this.#reserve(4);
    const text = this.#wasm.text(length);
    return {
      config: this.config,
      layers: this.layers,
      tensors: this.#readTensors(),
      text: new TextDecoder().decode(this.#bytes(text, new Uint32Array(this.#wasm.memory.buffer, length, 1)[0]).slice()),
      parameters: this.#wasm.parameters(),
      engine: this.#string(this.#wasm.engine()),
    };
  }

  // NumPy's RandomState(seed).randn(z_dim)
  seed(seed) {
    this.#wasm.seed_z(seed, this.#buffers.z);
    return this.#floats(this.#buffers.z, this.config.z_dim).slice();
  }

  // z [z_dim] to ws [num_ws][w_dim]
  map(z, { psi = 1, cutoff = this.config.truncation_cutoff, label = -1 } = {}) {
    const b = this.#buffers;
    this.#floats(b.z, z.length).set(z);
    this.#floats(b.labels, this.config.c_dim).forEach((_, i, labels) => { labels[i] = Number(i === label); });
    this.#check(this.#wasm.map(b.z, this.config.c_dim ? b.labels : 0, psi, cutoff, b.ws));
    return this.#floats(b.ws, this.config.num_ws * this.config.w_dim).slice();
  }

  // The style that a layer takes from ws.
  style(layer, ws) {
    this.#floats(this.#buffers.ws, ws.length).set(ws);
    const count = this.layers[layer].styles;
    const values = this.#values(count);
    this.#check(this.#wasm.style(layer, this.#buffers.ws, values));
    return this.#floats(values, count).slice();
  }

  // The values of a tensor of the weight file, and of a layer's random noise.
  tensor(name) {
    const { index, shape } = this.#readTensors().find(t => t.name === name);
    const count = shape.reduce((product, n) => product * n, 1);
    const values = this.#values(count);
    this.#wasm.tensor_values(index, values);
    return this.#floats(values, count).slice();
  }

  randomNoise(layer, noiseSeed = 0) {
    const { height, width, name } = this.layers[layer];
    const steered = this.layers.find(l => l.name === name.replace('conv', 'norm')) ?? this.layers[layer];
    const values = this.#values(height * width);
    this.#wasm.random_normal(noiseSeed, steered.ws, values, height * width);
    return this.#floats(values, height * width).slice();
  }

  // ws to a picture. Options: noise 'const', 'random' or 'none', noiseSeed; layer by layer: layerNoise (modes),
  // noiseStrength (factors), styleOffsets ({ layer: values }). maps: an array of layers whose feature maps are wanted, or
  // true for all; channels: at most that many of each. background: after all other calls that wait.
  synthesize(ws, options = {}) {
    const b = this.#buffers, count = this.layers.length, { height, width, channels } = this.config;
    const modes = Engine.noiseModes;
    this.#floats(b.ws, ws.length).set(ws);
    const layerNoise = options.layerNoise ? b.perLayer : 0;
    const strength = options.noiseStrength ? b.perLayer + 4 * count : 0;
    const offsets = options.styleOffsets ? b.perLayer + 8 * count : 0;
    if (layerNoise) this.#integers(layerNoise, count).set(options.layerNoise.map(mode => modes.indexOf(mode)));
    if (strength) this.#floats(strength, count).set(options.noiseStrength);
    if (offsets) this.#integers(offsets, count).set(this.layers.map((_, i) => this.#writeOffsets(i, options.styleOffsets[i])));
    const maps = [], milliseconds = this.layers.map(() => 0);
    let last = performance.now();
    this.#inspect = (index, first, rows, style) => {
      milliseconds[index] += performance.now() - last;
      if (options.maps === true || options.maps?.includes(index))
        this.#readRows(maps[index] ??= this.#startMap(index, style, options.channels), first, rows);
      last = performance.now();
    };
    const mode = modes.indexOf(options.noise ?? 'const');
    this.#check(this.#wasm.synthesize(b.ws, mode, options.noiseSeed ?? 0, layerNoise, strength, offsets,
      Number(Boolean(options.maps)), b.image));
    milliseconds[count - 1] += performance.now() - last;
    this.#wasm.to_rgb8(b.image, b.pixels);
    const picture = this.#toRgba(this.#bytes(b.pixels, height * width * channels), channels);
    return {
      width, height, pixels: picture, maps: maps.filter(Boolean), milliseconds,
      image: options.floats ? this.#floats(b.image, height * width * channels).slice() : null,
    };
  }

  #toRgba(pixels, channels) {
    const rgba = new Uint8ClampedArray(4 * pixels.length / channels).fill(255);
    for (let i = 0; i < pixels.length / channels; i++)
      for (let c = 0; c < 3; c++) rgba[4 * i + c] = pixels[channels * i + (channels < 3 ? 0 : c)];
    return rgba;
  }

  #writeOffsets(layer, values) {
    if (!values) return 0;
    const at = this.#buffers.offsets[layer] ||= this.#reserve(4 * this.layers[layer].styles);
    this.#floats(at, values.length).set(values);
    return at;
  }

  #startMap(index, style, most = Infinity) {
    const { name, out, height, width, styles } = this.layers[index];
    const channels = Math.min(out, most);
    return {
      index, name, channels, height, width, style: style ? this.#floats(style, styles).slice() : null,
      data: new Float32Array(channels * height * width),
    };
  }

  #readRows(map, first, rows) {
    const plane = this.#values(rows * map.width);
    for (let c = 0; c < map.channels; c++) {
      this.#wasm.read_feature(c, plane);
      map.data.set(this.#floats(plane, rows * map.width), (c * map.height + first) * map.width);
    }
  }

  #readConfig() {
    const view = new DataView(this.#wasm.memory.buffer, this.#wasm.config());
    const fields = this.#string(this.#wasm.config_fields()).trim().split('\n').map(line => line.split(' '));
    return Object.fromEntries(fields.map(([type, name], i) =>
      [name, type === 'float' ? view.getFloat32(4 * i, true) : view.getInt32(4 * i, true)]));
  }

  #readLayers() {
    const numbers = this.#reserve(8 * Engine.layerNumbers.length);
    return Array.from({ length: this.#wasm.layer_count() }, (_, index) => {
      const name = this.#string(this.#wasm.layer(index, numbers));
      const values = new Float64Array(this.#wasm.memory.buffer, numbers, Engine.layerNumbers.length);
      return { index, name, ...Object.fromEntries(Engine.layerNumbers.map((key, i) => [key, values[i]])) };
    });
  }

  #readTensors() {
    return Array.from({ length: this.#wasm.tensor_count() }, (_, index) => {
      const at = this.#wasm.tensor(index);
      const [type, dimensions, ...shape] = this.#integers(at + 32, 6);
      return { index, name: this.#string(at), type: ['f32', 'f16', 'i8'][type], shape: shape.slice(0, dimensions) };
    });
  }

  #check(result) {
    if (result) throw new Error(this.#string(this.#wasm.message()));
  }

  #reserve(bytes) {
    const at = this.#wasm.reserve(Math.max(bytes, 1));
    if (!at) throw new Error('out of memory');
    return at;
  }

  // A place for some floats, until the next call.
  #values(count) {
    const b = this.#buffers;
    if (!(b.most >= count)) [b.values, b.most] = [this.#reserve(4 * count), count];
    return b.values;
  }

  // Views are made anew for every use: growing memory detaches them.
  #bytes(at, count) { return new Uint8Array(this.#wasm.memory.buffer, at, count); }
  #integers(at, count) { return new Int32Array(this.#wasm.memory.buffer, at, count); }
  #floats(at, count) { return new Float32Array(this.#wasm.memory.buffer, at, count); }

  #string(at) {
    const bytes = new Uint8Array(this.#wasm.memory.buffer, at);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }
}

// --- The engines: with relaxed SIMD, where multiplying and adding may be one instruction, or with plain SIMD ---

// A module of one function that adds and multiplies in relaxed SIMD: whether it is valid says what the browser can.
const RELAXED_SIMD = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0,
  65, 1, 253, 15, 65, 2, 253, 15, 65, 3, 253, 15, 253, 133, 2, 11);

export const hasRelaxedSimd = () => WebAssembly.validate(RELAXED_SIMD);

async function compile(engines) {
  const { simd = new URL('stylegan.wasm', import.meta.url), relaxed = new URL('stylegan-relaxed.wasm', import.meta.url) } = engines;
  const chosen = hasRelaxedSimd() && relaxed ? relaxed : simd;
  if (ArrayBuffer.isView(chosen) || chosen instanceof ArrayBuffer) return WebAssembly.compile(chosen);
  const answer = await fetch(chosen);
  if (!answer.ok) throw new Error(`${chosen}: ${answer.status} ${answer.statusText}`);
  return WebAssembly.compile(await answer.arrayBuffer());
}

// --- Workers: each has an engine of its own; a call goes to the first that is idle ---

function serve() {
  let engine;
  const buffers = value => {
    const views = ArrayBuffer.isView(value) ? [value] : Object.values(value ?? {}).flatMap(v => Array.isArray(v) ? v.map(m => m?.data) : v);
    return [...new Set(views.filter(ArrayBuffer.isView).map(view => view.buffer))];
  };
  self.onmessage = ({ data: { id, method, values } }) => {
    try {
      if (method === 'open') engine = new Engine(...values);
      const result = method === 'open' ? engine.describe() : engine[method](...values);
      self.postMessage({ id, result }, buffers(result));
    } catch (error) {
      self.postMessage({ id, error: error instanceof WebAssembly.RuntimeError ? 'out of memory' : error.message });
    }
  };
}

let workerUrl;
function startWorker() {
  workerUrl ??= URL.createObjectURL(new Blob([`const Engine = ${Engine};\n(${serve})();`], { type: 'text/javascript' }));
  return new Worker(workerUrl);
}

class Pool {
  #idle = [];
  #waiting = [];
  #workers = [];
  #pending = new Map();
  #calls = 0;

  constructor(most, module, file) {
    this.most = most;
    this.open = [module, file];
    this.ended = false;
  }

  call(method, ...values) {
    return new Promise((resolve, reject) => {
      if (this.ended) throw new Error('the network is closed');
      const background = Boolean(values[1]?.background);
      this.#waiting.push({ id: this.#calls++, method, values, background, resolve, reject });
      this.#next();
    });
  }

  #next() {
    if (!this.#waiting.length) return;
    const worker = this.#idle.pop() ?? (this.#workers.length < this.most ? this.#start() : null);
    if (!worker) return;
    const first = Math.max(0, this.#waiting.findIndex(call => !call.background));
    const [{ resolve, reject, ...message }] = this.#waiting.splice(first, 1);
    this.#pending.set(message.id, { resolve, reject, worker });
    worker.postMessage(message);
  }

  // Every Worker opens the network first; an error then comes with the first call, 'open'.
  #start() {
    const worker = startWorker();
    worker.onmessage = ({ data: { id, result, error } }) => {
      const call = this.#pending.get(id);
      if (!call) return;
      this.#pending.delete(id);
      if (error === undefined) call.resolve(result);
      else call.reject(new Error(error));
      this.#idle.push(worker);
      this.#next();
    };
    worker.onerror = event => this.#pending.forEach(call => call.reject(new Error(event.message)));
    if (this.#workers.push(worker) > 1) worker.postMessage({ id: -1, method: 'open', values: this.open });
    return worker;
  }

  end() {
    this.#workers.forEach(worker => worker.terminate());
    this.ended = true;
    [...this.#pending.values(), ...this.#waiting].forEach(call => call.reject(new Error('the network is closed')));
    this.#pending.clear();
    [this.#workers, this.#idle, this.#waiting] = [[], [], []];
  }
}

// An open network. Everything that computes returns a promise.
export class Network {
  #pool;

  constructor(pool, description) {
    this.#pool = pool;
    Object.assign(this, description);
  }

  seed(seed) { return this.#pool.call('seed', seed); }
  map(z, options) { return this.#pool.call('map', z, options); }
  style(layer, ws) { return this.#pool.call('style', layer, ws); }
  tensor(name) { return this.#pool.call('tensor', name); }
  randomNoise(layer, noiseSeed) { return this.#pool.call('randomNoise', layer, noiseSeed); }
  synthesize(ws, options) { return this.#pool.call('synthesize', ws, options); }

  // Some layers (numbers of ws) of one person's ws, the others of another's.
  mix(base, style, layers) {
    const ws = base.slice(), width = this.config.w_dim;
    for (const layer of layers) ws.set(style.subarray(layer * width, (layer + 1) * width), layer * width);
    return ws;
  }

  // Draws a seed or ws to a canvas.
  async draw(canvas, person, { psi = this.config.truncation_psi, cutoff, label, ...options } = {}) {
    const ws = typeof person === 'number' ? await this.map(await this.seed(person), { psi, cutoff, label }) : person;
    const { pixels, width, height } = await this.synthesize(ws, options);
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext('2d').putImageData(new ImageData(pixels, width, height), 0, 0);
  }

  close() { this.#pool.end(); }
}

// Opens a weight file (ArrayBuffer). workers: how many may draw at once; engines: { simd, relaxed }, addresses or bytes
// of the two WebAssembly files where they are not beside this module.
export async function open(file, { workers = 1, engines = {} } = {}) {
  const module = await compile(engines);
  const pool = new Pool(workers, module, file);
  try {
    return new Network(pool, await pool.call('open', module, file));
  } catch (error) {
    pool.end();
    throw error;
  }
}

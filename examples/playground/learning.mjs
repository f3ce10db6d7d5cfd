// learning.mjs - the second view: examples/train_step.c learns in a Worker, and what it does is shown.
import { color, find, make, showCurves, showPixels, showScores } from './drawing.mjs';

const SIDE = 8, SHOWN = 16, BATCH = 8;

// Runs in the Worker: steps while it may, and reports about 10 times a second.
function teach() {
  let wasm, running = false, steps = 0, losses = [];
  const SHOWN_COUNT = 16, BATCH_COUNT = 8, PIXELS = 192;
  const values = (at, count) => new Float64Array(wasm.memory.buffer, at, count).slice();
  const report = () => {
    self.postMessage({
      steps, losses, running,
      reals: Array.from({ length: BATCH_COUNT }, (_, n) => values(wasm.real(n), PIXELS)),
      fakes: Array.from({ length: SHOWN_COUNT }, (_, n) => values(wasm.draw_shown(n), PIXELS)),
      scores: steps ? [values(wasm.scores(0), BATCH_COUNT), values(wasm.scores(1), BATCH_COUNT)] : [[], []],
    });
    losses = [];
  };
  const step = () => {
    wasm.step();
    steps++;
    losses.push([wasm.loss(0), wasm.loss(1)]);
  };
  const run = () => {
    const end = performance.now() + 100;
    while (running && performance.now() < end) step();
    report();
    if (running) setTimeout(run);
  };
  self.onmessage = ({ data: { method, values: given = [] } }) => {
    if (method === 'load') wasm = new WebAssembly.Instance(new WebAssembly.Module(given[0]), { Math }).exports;
    if (method === 'rates') return wasm.set_rates(...given);
    if (method === 'load' || method === 'reset') {
      [running, steps, losses] = [false, 0, []];
      wasm.start(given.at(-1));
    }
    if (method === 'step') step();
    if (method === 'pause') running = false;
    if (method === 'run') {
      if (!running) setTimeout(run);
      running = true;
      return;
    }
    report();
  };
}

const toPixels = picture => {
  const pixels = new Uint8ClampedArray(4 * SIDE * SIDE).fill(255);
  for (let i = 0; i < SIDE * SIDE; i++)
    for (let c = 0; c < 3; c++) pixels[4 * i + c] = picture[c * SIDE * SIDE + i] * 127.5 + 128;
  return pixels;
};

export const lesson = { steps: 0, losses: [[], []], running: false, scores: [[], []] };
let worker, restarted = false;

const send = (method, ...values) => worker?.postMessage({ method, values });
const rate = () => 10 ** Number(find('rate').value);
const gamma = () => Number(find('gamma').value);
const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length;

function sendRates() {
  find('rate-value').textContent = rate().toPrecision(2);
  find('gamma-value').textContent = gamma() ? gamma().toFixed(2) : '0: off';
  send('rates', rate(), gamma());
}

function show(report) {
  if (report.steps < lesson.steps || restarted) lesson.losses = [[], []];
  restarted = false;
  Object.assign(lesson, { steps: report.steps, running: report.running, scores: report.scores });
  report.losses.forEach(pair => pair.forEach((loss, i) => lesson.losses[i].push(loss)));
  report.reals.forEach((picture, i) => showPixels(find('reals').children[i], toPixels(picture), SIDE, SIDE));
  report.fakes.forEach((picture, i) => showPixels(find('fakes').children[i], toPixels(picture), SIDE, SIDE));
  find('learn-count').textContent = lesson.steps;
  find('learn-run').textContent = lesson.running ? 'Pause' : 'Run';
  plot();
}

function plot() {
  const [ofDiscriminator, ofGenerator] = lesson.losses;
  showCurves(find('losses'), [{ values: ofDiscriminator, ink: color('--a') }, { values: ofGenerator, ink: color('--b') }],
    Math.max(2, Math.min(12, Math.ceil(Math.max(...ofGenerator.slice(-200), 1) / 2) * 2)));
  showScores(find('scores'), [{ values: lesson.scores[0], ink: color('--a') }, { values: lesson.scores[1], ink: color('--b') }],
    Math.max(3, ...[...lesson.scores[0], ...lesson.scores[1]].map(Math.abs)));
  if (!lesson.steps) {
    find('losses-text').textContent = 'Before learning.';
    find('scores-text').textContent = '';
    return;
  }
  const [d, g] = lesson.losses.map(values => mean(values.slice(-30)));
  find('losses-text').textContent = `Last 30 steps: discriminator ${d.toFixed(3)}, generator ${g.toFixed(3)}. Where the one cannot tell real from generated, they are 1.386 and 0.693.`;
  const [real, fake] = lesson.scores.map(mean);
  find('scores-text').textContent = `Mean of the real ones ${real.toFixed(2)}, of the generated ones ${fake.toFixed(2)}. The closer, the harder to tell apart.`;
}

function restart() {
  restarted = true;
  send('reset', 1);
  sendRates();
}

// code: gives the bytes of trainer.wasm
export function prepareLearning(code) {
  find('reals').append(...Array.from({ length: BATCH }, () => make('canvas', { ariaHidden: 'true' })));
  find('fakes').append(...Array.from({ length: SHOWN }, () => make('canvas', { ariaHidden: 'true' })));
  find('rate').value = Math.log10(.005);
  find('gamma').value = .3;
  find('rate').oninput = find('gamma').oninput = sendRates;
  find('learn-run').onclick = () => send(lesson.running ? 'pause' : 'run');
  find('learn-step').onclick = () => { send('pause'); send('step'); };
  find('learn-reset').onclick = restart;
  find('learn-collapse').onclick = () => {
    find('gamma').value = 0;
    find('rate').value = Math.log10(.005);
    restart();
    send('run');
  };
  new ResizeObserver(plot).observe(find('losses'));
  return () => { // when the view is shown for the first time
    if (worker) return plot();
    worker = new Worker(URL.createObjectURL(new Blob([`(${teach})()`], { type: 'text/javascript' })));
    worker.onmessage = ({ data }) => show(data);
    send('load', code(), 1);
    sendRates();
  };
}

export const pauseLearning = () => { if (lesson.running) send('pause'); };

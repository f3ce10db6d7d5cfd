// playground.mjs MODULES WORK - examples/playground.html as a visitor uses it, in Chromium; and stylegan.mjs as a web page
// uses it. WORK holds what the command line drew: native/*.png, and two other networks. Prints ok, FAIL and note lines.
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { argv, exit } from 'node:process';

const [modules, work] = argv.slice(2).map(path => resolve(path));
const require = createRequire(`${modules}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const file = `file://${resolve('examples/playground.html')}`, html = readFileSync('examples/playground.html', 'utf8');
const png = name => readFileSync(`${work}/native/${name}.png`).toString('base64');
const native = { 85: png('seed0085'), 3: png('seed0003'), mixed: png('85-3') };

let failures = 0;
function report(name, problem) {
  if (problem) failures++;
  console.log(problem ? `FAIL playground: ${name}: ${problem}` : `ok playground: ${name}`);
}
async function check(name, test) {
  try {
    report(name, await test());
  } catch (error) {
    report(name, error.message.split('\n')[0]);
  }
}

const browser = await chromium.launch({ executablePath: 'chromium', args: ['--no-sandbox'] }).catch(() =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] }));
const complaints = [];

async function visit(address, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, acceptDownloads: true, ...options });
  page.setDefaultTimeout(20000);
  page.setDefaultNavigationTimeout(60000);
  page.on('console', message => { if (message.type() === 'error') complaints.push(message.text()); });
  page.on('pageerror', error => complaints.push(error.message));
  await page.goto(address);
  return page;
}
const ready = page => page.waitForFunction(() => document.documentElement.dataset.ready);
async function visitExhibit(hash = '', options = {}) {
  const page = await visit(file + hash, options);
  await ready(page);
  return page;
}

// Does something that makes the page draw anew, and waits until it has.
async function drawn(page, action) {
  const before = await page.evaluate(() => document.documentElement.dataset.drawings);
  await action();
  await page.waitForFunction(count => document.documentElement.dataset.drawings !== count, before);
}
const slide = (page, selector, value, event = 'input') => page.locator(selector).first().evaluate((element, [v, name]) => {
  element.value = v;
  element.dispatchEvent(new Event(name, { bubbles: true }));
}, [value, event]);
const click = (page, selector) => page.locator(selector).first().click();
const sketch = (page, selector) => page.locator(selector).first().evaluate(canvas => canvas.toDataURL());

// The largest difference between a canvas and a PNG (base64).
const difference = (page, selector, picture) => page.locator(selector).first().evaluate(async (canvas, base64) => {
  const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
  if (bitmap.width !== canvas.width || bitmap.height !== canvas.height) return 256;
  const other = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
  other.drawImage(bitmap, 0, 0);
  const [a, b] = [canvas.getContext('2d'), other].map(context => context.getImageData(0, 0, bitmap.width, bitmap.height).data);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}, picture);
const atMost = (found, limit) => found <= limit ? '' : `differs by ${found}`;

// Each control that there is must be used: `use` remembers which are.
const used = new Set();
const keyOf = element => element.id || element.dataset.psi && `psi ${element.dataset.psi}` || element.dataset.mix && `mix ${element.dataset.mix}` ||
  element.dataset.figure && `figure ${element.dataset.figure}` || element.dataset.noise && `noise ${element.dataset.noise}` ||
  element.dataset.operation || element.closest('[id]').id;
async function use(page, selector, action) {
  used.add(await page.locator(selector).first().evaluate(keyOf));
  await action();
}
const useButton = (page, selector) => use(page, selector, () => drawn(page, () => click(page, selector)));
const useSlider = (page, selector, value) => use(page, selector, () => drawn(page, () => slide(page, selector, value)));

// The action changes what a canvas shows.
const changes = (page, canvas, action) => async () => {
  const before = await sketch(page, canvas);
  await action();
  await page.waitForFunction(([selector, old]) => document.querySelector(selector).toDataURL() !== old, [canvas, before]);
};

const page = await visitExhibit();
const since = await page.evaluate(() => ({ ...document.documentElement.dataset }));
console.log(`note: playground: first picture ${since.firstPicture} ms after the navigation began, everything ${since.ready} ms`);

await check('seed 85 is the native picture, within 1', async () => {
  await use(page, '#seed-a', () => drawn(page, () => page.fill('#seed-a', '85')));
  return atMost(await difference(page, '#image', native[85]), 1);
});
await check('so is seed 3', async () => {
  await use(page, '#seed-b', () => drawn(page, () => page.fill('#seed-b', '3')));
  return atMost(await difference(page, '#picture-b', native[3]), 1);
});
await check('coarse styles from B are what `stylegan mix` draws, within 1', async () => {
  await useButton(page, '[data-mix=coarse]');
  return atMost(await difference(page, '#image', native.mixed), 1);
});
await check('the address holds everything', async () => {
  await page.waitForFunction(() => location.hash.includes('mix='));
  const again = await visitExhibit(new URL(page.url()).hash);
  const found = await difference(again, '#image', native.mixed);
  await again.close();
  return atMost(found, 1);
});
for (const part of ['middle', 'fine', 'all', 'half', 'none'])
  await check(`mixture ${part}`, changes(page, '#image', () => useButton(page, `[data-mix=${part}]`)));
await check('a style between A and B', changes(page, '#image', () => useSlider(page, '#strip input', 0.5)));
for (const psi of ['-1', '0', '0.7', '1', '1.5'])
  await check(`psi ${psi}`, changes(page, '#t-a', () => useButton(page, `[data-psi="${psi}"]`)));
await check('at psi 0 A and B are the mean face', async () => {
  await useSlider(page, '#psi', 0);
  const [a, b] = [await sketch(page, '#picture-a'), await sketch(page, '#picture-b')];
  await drawn(page, () => slide(page, '#psi', 0.7));
  return a === b ? '' : 'they differ';
});
for (const letter of ['a', 'b']) await check(`another person ${letter}`, changes(page, `#picture-${letter}`, () => useButton(page, `#dice-${letter}`)));
await check('the explanations of the stages open', async () => {
  for (const note of await page.locator('#stage-notes summary').all()) await note.click();
  used.add('stage-notes');
  return await page.locator('#stage-notes details[open]').count() === 4 ? '' : 'not all';
});

await check('a layer opens: maps, style, noise, numbers', async () => {
  await use(page, '#strip .map', () => drawn(page, () => page.locator('#strip .map:not(.growth)').nth(4).click()));
  await page.waitForSelector('#layer-maps canvas');
  const title = await page.textContent('#layer-title'), facts = await page.textContent('#layer-facts');
  return title === 'Inside 16 × 16, second layer' && facts.includes('9,437,184') ? '' : `${title}, ${facts}`;
});
// Opens layer after layer, from the one that is open: count of them, each with a title of its own.
async function walkLayers(count) {
  const titles = new Set();
  for (let i = 0; i < count; i++) {
    titles.add(await page.textContent('#layer-title'));
    await drawn(page, () => click(page, '#layer-after'));
  }
  return titles.size === count && await page.isHidden('#problem') ? '' : [...titles].join('; ');
}
await check('every layer opens', () => walkLayers(14));
await check('the image grows through ToRGB', async () => {
  const growth = await page.locator('.growth canvas').evaluateAll(canvases => canvases.map(canvas => canvas.width).join());
  return growth === '4,8,16,32,64' ? '' : growth;
});
await check('every operation is explained', async () => {
  const texts = new Set();
  for (const button of await page.locator('#steps button').all()) {
    used.add(await button.evaluate(keyOf));
    await button.focus();
    texts.add(await page.textContent('#explanation'));
  }
  return texts.size === 5 ? '' : `${texts.size} explanations`;
});
await check('pointing at a map tells about it, a click takes it', async () => {
  const canvas = page.locator('#layer-maps canvas').first();
  await canvas.evaluate(element => element.scrollIntoView({ block: 'center', behavior: 'instant' }));
  const box = await canvas.boundingBox();
  await page.mouse.move(box.x + 5, box.y + 5);
  const text = await page.textContent('#channel');
  await drawn(page, () => page.mouse.click(box.x + box.width - 5, box.y + 5));
  const chosen = await page.textContent('#map-number');
  return text.startsWith('Map 1:') && chosen === '8 of 64' ? '' : `${text} ${chosen}`;
});
await check('the map chooser', changes(page, '#channel canvas', () => useSlider(page, '#map-chooser', 3)));
await check('a map turned up changes the image', changes(page, '#image', () => useSlider(page, '#nudge', 3)));
await check('and back', changes(page, '#image', () => useButton(page, '#nudge-reset')));
for (const button of ['before', 'after', 'close']) await check(`layer ${button}`, () => useButton(page, `#layer-${button}`));

await check('the style mixing figure', async () => {
  await page.locator('#mixing').scrollIntoViewIfNeeded();
  for (const part of ['middle', 'fine', 'coarse']) await changes(page, '#figure button:last-child canvas', () => useButton(page, `[data-figure=${part}]`))();
  await changes(page, '#figure button:last-child canvas', () => useButton(page, '#figure-dice'))();
  await page.waitForTimeout(200);
  const shown = await sketch(page, '#figure button:last-child canvas');
  await use(page, '#figure button', () => drawn(page, () => page.locator('#figure button').last().click()));
  return await sketch(page, '#image') === shown ? '' : 'the picture clicked is not the image drawn';
});
await check('interpolation', async () => {
  await page.locator('#walking').scrollIntoViewIfNeeded();
  await changes(page, '#now-z', () => useSlider(page, '#between', 0))();
  await page.waitForFunction(() => document.querySelector('#now-w').toDataURL() === document.querySelector('#picture-a').toDataURL());
});
await check('noise: random, other, off, stored', async () => {
  await page.locator('#noise').scrollIntoViewIfNeeded();
  await changes(page, '#image', () => useButton(page, '[data-noise=random]'))();
  await changes(page, '#image', () => useButton(page, '#noise-dice'))();
  await changes(page, '#noise-difference', () => useButton(page, '[data-noise=none]'))();
  await page.waitForFunction(() => document.querySelector('#noise-now').toDataURL() === document.querySelector('#noise-off').toDataURL());
  await changes(page, '#image', () => useButton(page, '[data-noise=const]'))();
});
await check('noise of one layer', async () => {
  used.add('noise');
  await click(page, '#noise summary');
  await changes(page, '#image', () => use(page, '#noise-layers select', () => page.locator('#noise-layers select').last().selectOption('random')))();
});
await check('saves a PNG', async () => {
  const [download] = await Promise.all([page.waitForEvent('download'), use(page, '#save', () => click(page, '#save'))]);
  const bytes = readFileSync(await download.path());
  return atMost(await difference(page, '#image', bytes.toString('base64')), 0);
});
await check('the link that skips to the network changes nothing', async () => {
  const before = [await sketch(page, '#image'), await page.inputValue('#seed-a')];
  await page.focus('.skip');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(300);
  return [await sketch(page, '#image'), await page.inputValue('#seed-a')].join() === before.join() ? '' : 'the picture is another';
});
await check('an address of nonsense draws', async () => {
  const odd = await visitExhibit('#__proto__=x&mix=x.y&layer=2&channel=-1&psi=1e999');
  const problem = await odd.isHidden('#problem') ? '' : await odd.textContent('#problem');
  await odd.close();
  return problem;
});
await check('starts again', async () => {
  await useButton(page, '#reset');
  return await page.inputValue('#seed-a') === '2' ? '' : 'seed A is not that of the first visit';
});
await check('copies a link', async () => {
  await use(page, '#copy-link', () => click(page, '#copy-link'));
  await page.waitForFunction(() => /Copied|address/.test(document.querySelector('#copy-link').textContent));
});

// Where the point that is dragged has come to, once it is within a step of x and y.
const arrived = (x, y) => page.waitForFunction(([goalX, goalY]) => {
  const [px, py] = (document.querySelector('#marks').dataset.point ?? '-99,-99').split(',').map(Number);
  return Math.hypot(px - goalX, py - goalY) < 1;
}, [x, y], { timeout: 60000 });
await check('a point that is dragged comes along; the address holds that; let go', async () => {
  const before = await sketch(page, '#image'), box = await page.locator('#image').boundingBox();
  const at = (x, y) => [box.x + (x + .5) / 64 * box.width, box.y + (y + .5) / 64 * box.height];
  await page.mouse.move(...at(32, 37));
  await page.mouse.down();
  await page.mouse.move(...at(27, 37), { steps: 5 });
  await arrived(27, 37);
  await page.mouse.up();
  await page.waitForSelector('#marks[data-done]', { state: 'attached' });
  await click(page, '#copy-link'); // writes the address at once
  const dragged = await sketch(page, '#image'), again = await visitExhibit(new URL(page.url()).hash);
  const same = await sketch(again, '#image') === dragged;
  await again.close();
  await useButton(page, '#let-go');
  if (dragged === before || !same) return dragged === before ? 'the picture stays' : 'the address gives another picture';
  return await sketch(page, '#image') === before ? '' : 'let go, the picture is another';
});
await check('arrow keys drag the middle', async () => {
  await page.focus('#image');
  await drawn(page, () => page.keyboard.press('ArrowRight'));
  await arrived(34, 37.12);
  await useButton(page, '#let-go');
});
await check('a slider is answered, fifteen times', async () => {
  await drawn(page, () => page.locator('#strip .map:not(.growth)').nth(4).click());
  const times = [];
  for (let i = 0; i < 15; i++) {
    await drawn(page, () => slide(page, '#psi', 0.3 + i * 0.05));
    times.push(await page.evaluate(() => Number(document.documentElement.dataset.milliseconds)));
  }
  times.sort((a, b) => a - b);
  console.log(`note: playground: two pictures, the mixture and all maps in ${times[7]} ms (median), ${times[0]} to ${times[14]}`);
  return times[0] > 0 ? '' : 'no time is told';
});
await check('the tour runs through', async () => {
  await use(page, '#tour-start', () => page.focus('#tour-start'));
  const stops = [];
  await page.keyboard.press('Enter');
  for (let stop = 1; stop <= 6; stop++) {
    stops.push(await page.textContent('#tour-count'));
    if (stop === 2) {
      await use(page, '#tour-back', () => click(page, '#tour-back'));
      await click(page, '#tour-next');
    }
    if (stop === 4) await page.waitForFunction(() => !document.querySelector('#layer').hidden);
    await use(page, '#tour-next', () => page.keyboard.press('Enter'));
  }
  const over = await page.isHidden('#tour');
  await click(page, '#tour-start');
  await use(page, '#tour-end', () => click(page, '#tour-end'));
  return over && await page.isHidden('#tour') && new Set(stops).size === 6 ? '' : stops.join();
});

// --- One's own files ---

const weights = readFileSync('examples/portraits-64.sgw'), damaged = Buffer.from(weights);
damaged[weights.length - 100] ^= 1;
writeFileSync(`${work}/damaged.sgw`, damaged);
writeFileSync(`${work}/short.sgw`, weights.subarray(0, 5000));
for (const [name, words] of [['damaged', 'checksum'], ['short', '5000'], ['stylegan3', 'explains StyleGAN 1 and 2']])
  await check(`a ${name} file gives the library's message and changes nothing`, async () => {
    const before = await sketch(page, '#image');
    await use(page, '#file', () => page.setInputFiles('#file', `${work}/${name}.sgw`));
    await page.waitForSelector('#problem:not([hidden])');
    const text = await page.textContent('#problem');
    return text.startsWith(`${name}.sgw: `) && text.includes(words) && await sketch(page, '#image') === before ? '' : text;
  });
const openFile = async name => {
  await drawn(page, () => page.setInputFiles('#file', `${work}/${name}.sgw`));
  return page.isHidden('#problem');
};
await check('a StyleGAN 1: AdaIN is two steps, every layer opens', async () => {
  if (!await openFile('stylegan1')) return page.textContent('#problem');
  await drawn(page, () => page.locator('#strip .map').first().click());
  const operations = await page.locator('#steps button').evaluateAll(buttons => buttons.map(button => button.dataset.operation).join());
  if (operations !== 'constant,noise,activate,normalise,style') return operations;
  for (const button of await page.locator('#steps button').all()) used.add(await button.evaluate(keyOf));
  return walkLayers(11);
});
await check('a conditional network: classes', async () => {
  if (!await openFile('conditional')) return page.textContent('#problem');
  await changes(page, '#image', () => use(page, '#label', () => page.selectOption('#label', '3')))();
});

// --- Learning ---

await check('learning lowers the loss; step, pause, rates, reset, collapse', async () => {
  await use(page, '#view-learning', () => click(page, '#view-learning'));
  await use(page, '#learn-step', () => click(page, '#learn-step'));
  await page.waitForFunction(() => document.querySelector('#learn-count').textContent === '1');
  const first = Number((await page.textContent('#losses-text')).match(/discriminator ([\d.]+)/)[1]);
  await use(page, '#learn-run', () => click(page, '#learn-run'));
  await page.waitForFunction(() => Number(document.querySelector('#learn-count').textContent) >= 60, null, { timeout: 120000 });
  await click(page, '#learn-run');
  const later = Number((await page.textContent('#losses-text')).match(/discriminator ([\d.]+)/)[1]);
  await use(page, '#rate', () => slide(page, '#rate', -3));
  await use(page, '#gamma', () => slide(page, '#gamma', 1));
  if (await page.textContent('#rate-value') !== '0.0010' || await page.textContent('#gamma-value') !== '1.00') return 'the rates are not shown';
  await use(page, '#learn-collapse', () => click(page, '#learn-collapse'));
  await page.waitForFunction(() => Number(document.querySelector('#learn-count').textContent) >= 3, null, { timeout: 20000 });
  await use(page, '#learn-reset', () => click(page, '#learn-reset'));
  await page.waitForFunction(() => document.querySelector('#learn-count').textContent === '0');
  await use(page, '#view-drawing', () => click(page, '#view-drawing'));
  return later < 0.8 * first ? '' : `the discriminator's loss goes from ${first} to ${later}`;
});
await check('every control was used', async () => {
  const all = await page.evaluate(`[...document.querySelectorAll('button, input, select, summary')].map(element => (${keyOf})(element))`);
  return [...new Set(all)].filter(key => !used.has(key)).join(', ');
});
await page.close();

// --- For everybody ---

async function judge(name, exhibit) {
  await check(`axe: ${name}`, async () => {
    await exhibit.evaluate(axe);
    const { violations } = await exhibit.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    return violations.map(v => `${v.id} (${v.nodes.length}): ${v.nodes[0].target}`).join('; ');
  });
}
for (const [colorScheme, width] of [['light', 1280], ['dark', 360]]) {
  const exhibit = await visitExhibit('#layer=10', { colorScheme, reducedMotion: 'reduce', viewport: { width, height: 800 } });
  const size = `${colorScheme}, ${width} pixels wide`;
  await check(`nothing sticks out: ${size}`, async () => {
    const wide = await exhibit.evaluate(() => document.documentElement.scrollWidth);
    return wide <= width ? '' : `${wide} pixels`;
  });
  await judge(size, exhibit);
  await click(exhibit, '#tour-start');
  await judge(`the tour, ${size}`, exhibit);
  await exhibit.keyboard.press('Escape');
  await check(`no motion for who asks: ${size}`, () =>
    exhibit.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior === 'smooth' ? 'smooth scrolling' : ''));
  await click(exhibit, '#view-learning');
  await judge(`learning, ${size}`, exhibit);
  await exhibit.close();
}
await check('every control is reached by keyboard', async () => {
  const exhibit = await visitExhibit('#layer=10');
  await exhibit.evaluate(() => document.body.focus());
  const count = await exhibit.evaluate(() => {
    const controls = [...document.querySelectorAll('button, input, select, summary')].filter(element => element.checkVisibility() && !element.disabled);
    controls.forEach(element => { element.dataset.reach = 'no'; });
    document.addEventListener('focusin', event => { event.target.dataset.reach = 'yes'; });
    return controls.length;
  });
  for (let i = 0; i < count + 20; i++) await exhibit.keyboard.press('Tab');
  const missed = await exhibit.evaluate(`[...document.querySelectorAll('[data-reach=no]')].filter(element => element.isConnected).map(element => (${keyOf})(element))`);
  await exhibit.close();
  return missed.join(', ');
});

// --- The package, from a web server, as README.md beside it says ---

const asset = name => Buffer.from(html.match(new RegExp(`id="asset-${name}">([^<]*)<`))[1], 'base64');
const served = {
  '/': ['text/html', '<!DOCTYPE html><link rel="icon" href="data:,"><canvas id="image"></canvas>'],
  '/stylegan.mjs': ['text/javascript', readFileSync('examples/playground/stylegan.mjs')],
  '/stylegan.wasm': ['application/wasm', asset('stylegan.wasm')],
  '/stylegan-relaxed.wasm': ['application/wasm', asset('stylegan-relaxed.wasm')],
  '/portraits-64.sgw': ['application/octet-stream', weights],
};
const server = createServer((request, response) => {
  const [type, content] = served[request.url] ?? [];
  response.writeHead(type ? 200 : 404, { 'content-type': type ?? 'text/plain' }).end(content);
}).listen(0, '127.0.0.1');
await new Promise(done => { server.once('listening', done); });
const visitor = await visit(`http://127.0.0.1:${server.address().port}/`);
for (const [engine, limit, engines] of [['SIMD', 0, { relaxed: null }], ['relaxed SIMD', 1, {}]])
  for (const seed of [85, 3])
    await check(`stylegan.mjs, ${engine}: seed ${seed} differs from the native scalar picture by at most ${limit}`, async () => {
      const ran = await visitor.evaluate(async ([given, person]) => {
        const { open } = await import('./stylegan.mjs');
        const network = await open(await (await fetch('portraits-64.sgw')).arrayBuffer(), { engines: given, workers: 2 });
        await network.draw(document.querySelector('#image'), person, { psi: 0.7 });
        network.close();
        return network.engine;
      }, [engines, seed]);
      return ran === engine ? atMost(await difference(visitor, '#image', native[seed]), limit) : `ran with ${ran}`;
    });
await check('stylegan.mjs: mixing is what `stylegan mix` draws; a pool; errors', async () => {
  const problem = await visitor.evaluate(async () => {
    const { open } = await import('./stylegan.mjs');
    const file = await (await fetch('portraits-64.sgw')).arrayBuffer();
    const network = await open(file, { engines: { relaxed: null }, workers: 3 });
    const [a, b] = await Promise.all([85, 3].map(async seed => network.map(await network.seed(seed), { psi: 0.7 })));
    const twelve = await Promise.all(Array.from({ length: 12 }, () => network.synthesize(a, { maps: [2], floats: true })));
    if (twelve.some(({ image, maps }) => image.join() !== twelve[0].image.join() || maps.length !== 1)) return 'the pool draws differently';
    await network.draw(document.querySelector('#image'), network.mix(a, b, [0, 1, 2]));
    const waiting = Array.from({ length: 6 }, () => network.seed(1).then(() => 'answered', error => error.message));
    network.close();
    if ((await Promise.all(waiting)).some(answer => answer !== 'the network is closed')) return 'calls that wait are not told of the end';
    if (await network.seed(1).then(() => true, () => false)) return 'a closed network answers';
    return open(file.slice(0, 100)).then(() => 'opens a torn file', error => error.message.includes('100') ? '' : error.message);
  });
  return problem || atMost(await difference(visitor, '#image', native.mixed), 0);
});
report('no error in any console', complaints.join('; ').slice(0, 300));

server.close();
await browser.close();
exit(failures ? 1 : 0);

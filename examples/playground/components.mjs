// components.mjs - the directions in which people differ most: principal components of w, of some hundred people.

const COUNT = 24, PEOPLE = 400, ROUNDS = 12;

// Directions [COUNT][w_dim], each as long as the standard deviation of w along it.
export async function principalComponents(network) {
  const { w_dim: width } = network.config;
  const people = await Promise.all(Array.from({ length: PEOPLE }, async (_, seed) =>
    Float64Array.from((await network.map(await network.seed(seed))).subarray(0, width))));
  const mean = new Float64Array(width);
  for (const person of people) add(mean, person, 1 / PEOPLE);
  for (const person of people) add(person, mean, -1);
  return people.slice(0, Math.min(COUNT, width)).map(start => takeComponent(people, start));
}

// The longest direction that is left, by the power method; the people lose it.
function takeComponent(people, start) {
  let direction = scaled(start, 1 / length(start)), spread = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const sum = new Float64Array(direction.length);
    for (const person of people) add(sum, person, dot(person, direction));
    spread = length(sum);
    direction = scaled(sum, 1 / (spread || 1));
  }
  for (const person of people) add(person, direction, -dot(person, direction));
  return scaled(direction, Math.sqrt(spread / people.length));
}

// ws with a sum of directions added to its first layers.
export function moved(ws, directions, shares, layers) {
  const result = ws.slice(), width = directions[0].length;
  for (let l = 0; l < layers; l++)
    directions.forEach((direction, k) => add(result.subarray(l * width, (l + 1) * width), direction, shares[k] ?? 0));
  return result;
}

export const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const length = a => Math.sqrt(dot(a, a));
const scaled = (a, factor) => a.map(value => value * factor);

function add(to, values, factor) {
  if (factor) values.forEach((value, i) => { to[i] += factor * value; });
}

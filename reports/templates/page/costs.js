// What encoding and decoding took: a plot and a table for each way to run, for these are never to be compared on one axis.

const WAYS = { hardware: 'On the accelerator', 'vendor-software': 'Vendor libraries on the CPU', emulated: 'Models of silicon: their time says nothing of a device', software: 'Software' };
const BOX = { width: 440, height: 300, left: 52, right: 14, top: 14, bottom: 44 };

function points() {
  return facts.costs.map(([framing, peer, provenance, role, corpus, cells, ratio, cpu, speed]) => ({ framing, peer, provenance, role, corpus, cells, ratio, cpu, speed }));
}

function makeCosts() {
  const all = points();
  if (!all.length) { $('plots').append(el('p', {}, 'No cell of suite wire passed.')); return; }
  const form = $('measures');
  const choice = (name, label, options) => el('label', {}, el('span', {}, label), el('select', { name }, options.map(([value, text]) => el('option', { value }, text))));
  const framings = [...new Set(all.map((point) => point.framing))];
  const contents_ = [...new Set(all.map((point) => point.corpus))];
  const best = (values, name) => values.map((value) => [all.filter((p) => p[name] === value).length, value]).sort((a, b) => b[0] - a[0])[0][1];
  form.append(
    choice('framing', 'Method or framing', framings.map((f) => [f, released(f) ? f : `${f} (proposal)`])),
    choice('role', 'Work', [['sender', 'encoding'], ['receiver', 'decoding']]),
    choice('corpus', 'Content', [['', 'all'], ...contents_.map((c) => [c, c])]),
    choice('measure', 'Across', [['cpu', 'CPU seconds for each GiB'], ['speed', 'MB/s']]));
  form.querySelector('[name=framing]').value = best(framings.filter(released).length ? framings.filter(released) : framings, 'framing');
  form.hidden = false;
  const draw = () => {
    const asked = Object.fromEntries(new FormData(form));
    const shown = all.filter((p) => p.framing === asked.framing && p.role === asked.role && (!asked.corpus || p.corpus === asked.corpus) && p[asked.measure] && p.ratio);
    const panels = Object.keys(WAYS).flatMap((way) => panel(way, shown.filter((p) => p.provenance === way), asked));
    $('plots').replaceChildren(...(panels.length ? panels : [el('p', {}, 'Nothing was measured of that.')]));
  };
  form.addEventListener('change', draw);
  draw();
}

function panel(way, shown, { measure, corpus }) {
  if (!shown.length) return [];
  const sorted = corpus ? shown : merged(shown);
  sorted.sort((a, b) => (measure === 'cpu' ? a.cpu[1] - b.cpu[1] : b.speed[1] - a.speed[1]));
  const range = ([least, middle, most], digits) => [el('b', {}, middle.toFixed(digits)), least === most ? '' : el('span', { class: 'fine' }, ` ${least.toFixed(digits)}–${most.toFixed(digits)}`)];
  return [el('figure', { class: 'way' }, el('figcaption', {}, el('b', {}, WAYS[way])), plot(sorted, measure, WAYS[way]),
    table(`${WAYS[way]}: figures`, ['No.', 'Peer', 'Wire / memory', measure === 'cpu' ? 'CPU s/GiB' : 'MB/s', 'Cells'],
      sorted.map((p, k) => [String(k + 1), p.peer, range(p.ratio, 3), range(p[measure], measure === 'cpu' ? 2 : 0), p.cells])))];
}

// One point for each peer over every content: the median of medians, the least and the most of all.
function merged(shown) {
  const peers = new Map();
  for (const p of shown) (peers.get(p.peer) ?? peers.set(p.peer, []).get(p.peer)).push(p);
  const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  const over = (of, name) => {
    const spreads = of.map((p) => p[name]).filter(Boolean);
    return spreads.length ? [Math.min(...spreads.map((s) => s[0])), middle(spreads.map((s) => s[1])), Math.max(...spreads.map((s) => s[2]))] : null;
  };
  return [...peers.values()].map((of) => ({ ...of[0], cells: of.reduce((sum, p) => sum + p.cells, 0), ratio: over(of, 'ratio'), cpu: over(of, 'cpu'), speed: over(of, 'speed') }));
}

function plot(shown, measure, name) {
  const { width, height: high, left, right, top, bottom } = BOX;
  const values = shown.flatMap((p) => p[measure]).filter((v) => v > 0);
  const [low, most] = [Math.log10(Math.min(...values)) - 0.05, Math.log10(Math.max(...values)) + 0.05];
  const tallest = Math.max(1, ...shown.map((p) => p.ratio[2]));
  const x = (v) => left + ((Math.log10(Math.max(v, 10 ** low)) - low) / Math.max(most - low, 0.1)) * (width - left - right);
  const y = (v) => high - bottom - (v / tallest) * (high - top - bottom);
  const ticks = [];
  for (let power = Math.floor(low); power <= Math.ceil(most); power++) {
    for (const step of [1, 2, 5]) { const v = step * 10 ** power; if (v >= 10 ** low && v <= 10 ** most) ticks.push(v); }
  }
  const axis = [
    ...ticks.flatMap((v) => [el('line', { class: 'grid', x1: x(v), x2: x(v), y1: top, y2: high - bottom }), el('text', { x: x(v), y: high - bottom + 16, 'text-anchor': 'middle' }, String(+v.toPrecision(1)))]),
    ...[0, 0.25, 0.5, 0.75, 1].map((part) => part * tallest).flatMap((v) => [el('line', { class: 'grid', x1: left, x2: width - right, y1: y(v), y2: y(v) }), el('text', { x: left - 6, y: y(v) + 4, 'text-anchor': 'end' }, v.toFixed(2))]),
    el('text', { x: (left + width - right) / 2, y: high - 8, 'text-anchor': 'middle' }, measure === 'cpu' ? 'CPU seconds for each GiB, logarithmic (left is better)' : 'MB/s, logarithmic (right is better)'),
    el('text', { x: 14, y: (top + high - bottom) / 2, 'text-anchor': 'middle', transform: `rotate(-90 14 ${(top + high - bottom) / 2})` }, 'wire / memory (low is better)'),
  ];
  const dots = shown.map((p, k) => {
    const [cx, cy] = [x(p[measure][1]), y(p.ratio[1])];
    return el('g', { class: 'dot' }, el('title', {}, `${p.peer}: ${p.ratio[1].toFixed(3)}, ${p[measure][1].toPrecision(3)}`),
      el('line', { x1: x(p[measure][0]), x2: x(p[measure][2]), y1: cy, y2: cy }), el('line', { x1: cx, x2: cx, y1: y(p.ratio[0]), y2: y(p.ratio[2]) }),
      el('circle', { cx, cy, r: 8 }), el('text', { x: cx, y: cy + 3.5, 'text-anchor': 'middle' }, String(k + 1)));
  });
  return el('svg', { class: 'plot', viewBox: `0 0 ${width} ${high}`, role: 'img', 'aria-label': `${name}: ratio against cost; the figures stand in the table below` }, axis, dots);
}

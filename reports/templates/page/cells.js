// What the page holds, unpacked: columns as reports/columns.py writes them, and the facts beside them.

const $ = (id) => document.getElementById(id);

// An element with attributes and children. Text becomes text nodes and nothing else: it may be anybody's.
function el(tag, attributes = {}, ...children) {
  const space = SVG.has(tag) ? 'http://www.w3.org/2000/svg' : 'http://www.w3.org/1999/xhtml';
  const made = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== ''));
  return made;
}
const SVG = new Set(['svg', 'g', 'rect', 'circle', 'path', 'line', 'text', 'title', 'defs', 'pattern']);

let facts;
let columns;
let count = 0;

async function unpack() {
  const text = $('data').textContent.trim();
  $('data').remove();
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  const buffer = await new Response(stream).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const { rows, columns: head, ...rest } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const kinds = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
  let start = 4 + length;
  for (const column of Object.values(head)) {
    column.at = column.width ? new kinds[column.width](buffer, start, rows) : null;
    start += Math.ceil((rows * column.width) / 4) * 4;
  }
  [facts, columns, count] = [rest, head, rows];
}

function at(name, row) {
  const column = columns[name];
  return column.of[column.at ? column.at[row] : row];
}

// A text in which a cell's own id stands as one character.
const whole = (text, row) => text.replaceAll('\ufffc', at('id', row));

const sides = (text) => {
  const parts = text.split('>');
  return [parts[0], parts[1] ?? parts[0]];
};

const released = (framing) => framing.split('>').every((side) => facts.released.includes(side));
const versions = (dialect) => facts.versions[dialect] ?? dialect;
const baseOf = (peer) => peer.split('[')[0];
const number = (n) => n.toLocaleString('en');
const cellsSaid = (n) => `${number(n)} ${n === 1 ? 'cell' : 'cells'}`;

function word(row) {
  const kind = at('kind', row);
  return at('verdict', row) === 'fail' && kind ? kind : facts.verdicts[at('verdict', row)].word;
}

// Silent corruption first, passes last: the order of the verdicts, and of a failure's kinds.
let ranks;
function badness(row) {
  ranks ??= {
    verdict: columns.verdict.of.map((name) => Object.keys(facts.verdicts).indexOf(name) * 16),
    kind: columns.kind.of.map((name) => (name === null ? 15 : Object.keys(facts.kinds).indexOf(name))),
  };
  const of = (name) => ranks[name][columns[name].at ? columns[name].at[row] : row];
  return of('verdict') + of('kind');
}

function chip(row, attributes = {}) {
  const verdict = at('verdict', row);
  return el('a', { class: `v ${verdict}`, href: opened(row), ...attributes },
    el('b', {}, facts.verdicts[verdict].symbol), ` ${word(row)}`);
}

const opened = (row) => `#?${new URLSearchParams({ cell: at('id', row) })}`;
const where = (facets) => `#?${new URLSearchParams(facets)}`;

function ran(provenance) {
  return provenance ? [' ', el('i', { class: `mark ${provenance}`, title: facts.provenances[provenance].meaning }, provenance)] : [];
}

const marks = (found) => found.map((p) => el('sup', { class: `mark ${p}`, title: `${p}: ${facts.provenances[p].meaning}` }, facts.provenances[p].symbol));

const proposal = () => el('span', { class: 'mark proposal', title: 'in no release of QEMU' }, 'proposal');
const named = (framing) => (released(framing) ? [framing] : [framing, ' ', proposal()]);

function spoken(dialect) {
  const [old, now] = sides(dialect);
  const said = (one) => (facts.versions[one] ? `${one} (QEMU ${versions(one)})` : one);
  return old === now ? said(old) : `${said(old)} → ${said(now)}`;
}

function size(bytes) {
  for (const [shift, unit] of [[30, 'GiB'], [20, 'MiB'], [10, 'KiB']]) {
    if (bytes >= 2 ** shift) return `${+(bytes / 2 ** shift).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

function time(seconds) {
  if (seconds < 1) return `${+(seconds * 1000).toPrecision(3)} ms`;
  return `${+seconds.toPrecision(3)} s`;
}

// A table of which the head stays: rows are arrays of what a cell of it holds.
function table(caption, head, rows, kind = 'list') {
  const body = rows.map((row) => el('tr', {}, row.map((cell) => el('td', typeof cell === 'number' ? { class: 'num' } : {}, typeof cell === 'number' ? number(cell) : cell))));
  return el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption },
    el('table', { class: kind }, el('thead', {}, el('tr', {}, head.map((name) => el('th', { scope: 'col' }, name)))), el('tbody', {}, body)));
}

// The list of all cells: chosen by facets and text, worst first, as many rows in the document as can be seen.

const TEXTS = ['id', 'reason', 'predicted_because', 'error', 'aftermath', 'sender', 'receiver', 'framing', 'dialect', 'scenario', 'corpus', 'complaints', 'issues', 'setting'];
let listed = new Uint32Array(0);
let current = 0;

function counting(facet) {
  const wanted = new Set(chosen.facets[facet]);
  return Object.entries(FACETS[facet].of).map(([name, counts]) => [
    columns[name].at,
    Uint8Array.from(columns[name].of, (value) => value !== null && counts(value).some((each) => wanted.has(String(each)))),
  ]);
}

// Rows that every facet and every word leaves.
function matching() {
  const left = new Uint8Array(count).fill(1);
  for (const name of Object.keys(chosen.facets)) {
    if (!chosen.facets[name].length) continue;
    const found = new Uint8Array(count);
    for (const [places, mask] of counting(name)) {
      if (mask.includes(1)) for (let row = 0; row < count; row++) found[row] |= mask[places ? places[row] : row];
    }
    for (let row = 0; row < count; row++) left[row] &= found[row];
  }
  for (const term of chosen.text.split(/\s+/).filter(Boolean)) seek(term, left);
  return left;
}

// Takes those out that say a word nowhere, in capitals or not. A text is looked at once, and only if a row needs it:
// columns of few texts come first, and whoever was found there is not sought in those of many.
function seek(term, left) {
  const sought = new RegExp(term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
  const says = (value) => value !== null && sought.test(typeof value === 'string' ? value : value.join('\n'));
  const found = new Uint8Array(count);
  for (const { of, at: places } of TEXTS.map((name) => columns[name]).sort((a, b) => a.of.length - b.of.length)) {
    const said = new Uint8Array(of.length);
    for (let row = 0; row < count; row++) {
      if (!left[row] || found[row]) continue;
      const entry = places ? places[row] : row;
      said[entry] ||= says(of[entry]) ? 2 : 1;
      found[row] = said[entry] - 1;
    }
  }
  left.set(found);
}

// The worst first, and of equally bad ones in the order of the plan.
let rankOf;
function worstFirst(left) {
  rankOf ??= Uint8Array.from({ length: count }, (_, row) => badness(row));
  const starts = new Uint32Array(257);
  for (let row = 0; row < count; row++) if (left[row]) starts[rankOf[row] + 1]++;
  for (let rank = 0; rank < 256; rank++) starts[rank + 1] += starts[rank];
  const sorted = new Uint32Array(starts[256]);
  for (let row = 0; row < count; row++) if (left[row]) sorted[starts[rankOf[row]]++] = row;
  return sorted;
}

function filter() {
  listed = worstFirst(matching());
  current = 0;
  $('count').textContent = listed.length === count ? `${cellsSaid(count)}` : `${number(listed.length)} of ${cellsSaid(count)}`;
  $('list').scrollTop = 0;
  drawChosen();
  drawList(true);
}

const tall = matchMedia('(max-width: 60rem)');
const height = () => (tall.matches ? 74 : 30);
let drawn = [-1, -1];

function drawList(anew = false) {
  const list = $('list');
  const [space, body] = [list.querySelector('.space'), list.querySelector('.rows')];
  const each = height();
  space.style.height = `${listed.length * each}px`;
  const first = Math.max(0, Math.floor(list.scrollTop / each) - 8);
  const last = Math.min(listed.length, first + Math.ceil(list.clientHeight / each) + 16);
  if (!anew && drawn[0] === first && drawn[1] === last) return;
  drawn = [first, last];
  body.style.transform = `translateY(${first * each}px)`;
  body.replaceChildren(...Array.from({ length: last - first }, (_, k) => line(first + k)));
  list.querySelector('[role=grid]').setAttribute('aria-rowcount', listed.length + 1);
  mark();
}

function line(place) {
  const row = listed[place];
  const verdict = at('verdict', row);
  const cell = (name, ...inside) => el('span', { role: 'gridcell', class: name }, ...inside);
  return el('div', { role: 'row', id: `line-${place}`, 'aria-rowindex': place + 2, 'data-place': place, 'aria-selected': 'false' },
    cell('verdict', el('span', { class: `v ${verdict}` }, el('b', {}, facts.verdicts[verdict].symbol), ` ${word(row)}`)),
    cell('suite', at('suite', row)),
    cell('pair', at('sender', row), ...marks([at('sent_by', row)].filter(Boolean)), ' → ', at('receiver', row), ...marks([at('read_by', row)].filter(Boolean))),
    cell('framing', ...named(at('framing', row))),
    cell('dialect', sides(at('dialect', row)).filter((d, k, all) => !k || d !== all[0]).map(versions).join(' → ')),
    cell('scenario', `${at('scenario', row)} · ${at('corpus', row)} · ${size(at('page_size', row))} · ${at('channels', row)} ch`),
    cell('why', at('error', row) ?? at('reason', row)));
}

function mark() {
  const list = $('list');
  list.querySelectorAll('[aria-selected=true]').forEach((row) => row.setAttribute('aria-selected', 'false'));
  const row = $(`line-${current}`);
  row?.setAttribute('aria-selected', 'true');
  const grid = list.querySelector('[role=grid]');
  row ? grid.setAttribute('aria-activedescendant', row.id) : grid.removeAttribute('aria-activedescendant');
}

function go(place) {
  current = Math.max(0, Math.min(listed.length - 1, place));
  const [list, each] = [$('list'), height()];
  const top = current * each;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + 2 * each > list.scrollTop + list.clientHeight) list.scrollTop = top + 2 * each - list.clientHeight;
  drawList();
  mark();
}

function makeList() {
  const heads = ['Verdict', 'Suite', 'Sender → receiver', 'Framing', 'QEMU', 'Scenario', 'Why'];
  const list = $('list');
  const grid = el('div', { role: 'grid', tabindex: 0, 'aria-label': 'Cells', 'aria-readonly': 'true' },
    el('div', { role: 'rowgroup', class: 'heads' }, el('div', { role: 'row', 'aria-rowindex': 1 }, heads.map((head) => el('span', { role: 'columnheader' }, head)))),
    el('div', { class: 'space', role: 'rowgroup' }, el('div', { class: 'rows', role: 'presentation' })));
  list.append(grid);
  list.hidden = false;
  list.addEventListener('scroll', () => drawList(), { passive: true });
  tall.addEventListener('change', () => drawList(true));
  grid.addEventListener('click', (event) => {
    const row = event.target.closest('[data-place]');
    if (row) { go(+row.dataset.place); open(listed[current]); }
  });
  grid.addEventListener('keydown', (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / height()) - 2);
    const to = { ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + page, PageUp: current - page, Home: 0, End: listed.length - 1 }[event.key];
    if (to !== undefined) go(to);
    else if (event.key === 'Enter' && listed.length) open(listed[current]);
    else return;
    event.preventDefault();
  });
}

function choose(name, values) {
  chosen.facets[name] = values;
  if (!values.length) delete chosen.facets[name];
  writeAddress();
  filter();
}

function makeFacets() {
  const form = $('facets');
  const tally = new Map();
  for (let row = 0; row < count; row++) tally.set(at('verdict', row), (tally.get(at('verdict', row)) ?? 0) + 1);
  form.append(el('fieldset', { class: 'verdicts' }, el('legend', {}, 'Verdict'), Object.entries(facts.verdicts).filter(([name]) => tally.has(name)).map(([name, term]) =>
    el('label', { title: term.meaning }, el('input', { type: 'checkbox', name: 'verdict', value: name }), ' ', el('span', { class: `v ${name}` }, el('b', {}, term.symbol), ` ${term.word}`), ` ${number(tally.get(name))}`))));
  for (const [name, facet] of Object.entries(FACETS)) {
    if (!facet.offered) continue;
    const values = valuesOf(name);
    const option = (value) => el('option', { value }, facet.said ? facet.said(value) : String(value));
    const options = name === 'framing'
      ? [el('optgroup', { label: 'in a release' }, values.filter(released).map(option)), el('optgroup', { label: 'proposals' }, values.filter((v) => !released(v)).map(option))]
      : values.map(option);
    form.append(el('label', {}, el('span', {}, facet.label), el('select', { name }, el('option', { value: '' }, 'any'), options)));
  }
  form.append(el('button', { type: 'button', class: 'clear' }, 'Clear all'));
  form.hidden = false;
  document.querySelectorAll('.keys').forEach((hint) => { hint.hidden = false; });
  form.addEventListener('change', ({ target }) => {
    const values = target.type === 'checkbox' ? [...form.querySelectorAll('[name=verdict]:checked')].map((box) => box.value) : [target.value].filter(Boolean);
    choose(target.name, values);
  });
  form.querySelector('.clear').addEventListener('click', () => {
    [chosen.facets, chosen.text] = [{}, ''];
    writeAddress();
    filter();
  });
  let typed;
  $('text').addEventListener('input', ({ target }) => {
    clearTimeout(typed);
    typed = setTimeout(() => { chosen.text = target.value; writeAddress(); filter(); }, count > 50000 ? 150 : 30);
  });
  $('seek').addEventListener('submit', (event) => {
    event.preventDefault();
    $('cells').scrollIntoView();
    $('list').querySelector('[role=grid]').focus({ preventScroll: true });
  });
}

// The controls say what is chosen, and what they have no control for stands beside them with a way out.
function drawChosen() {
  const form = $('facets');
  for (const box of form.querySelectorAll('[name=verdict]')) box.checked = (chosen.facets.verdict ?? []).includes(box.value);
  const others = [];
  for (const [name, values] of Object.entries(chosen.facets)) {
    const select = form.querySelector(`select[name="${name}"]`);
    if (select && values.length === 1) select.value = values[0];
    else if (name !== 'verdict') others.push([name, values]);
  }
  for (const select of form.querySelectorAll('select')) if ((chosen.facets[select.name] ?? []).length !== 1) select.value = '';
  if (document.activeElement !== $('text')) $('text').value = chosen.text;
  $('chosen').replaceChildren(...others.map(([name, values]) => {
    const { label, said = String } = FACETS[name];
    const button = el('button', { type: 'button', title: 'no longer choose by this' }, `${label}: ${values.map(said).join(' or ')} ✕`);
    button.addEventListener('click', () => choose(name, []));
    return button;
  }));
}

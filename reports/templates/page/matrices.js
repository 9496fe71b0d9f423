// Matrices of every suite, drawn when they are opened. A place is the worst of its cells.

let inParts;
function rowsOf(part) {
  if (!inParts) {
    inParts = facts.parts.map(() => []);
    for (let row = 0; row < count; row++) {
      const place = at('place', row);
      if (place) inParts[place[0]].push(row);
    }
  }
  return inParts[part];
}

function made(rows) {
  const bad = rows.map(badness);
  const worst = Math.min(...bad);
  return { rows, worst: rows[bad.indexOf(worst)], alike: bad.filter((each) => each === worst).length };
}

// Rows, columns and places of a part; lines that ended alike and are of one codec are one line, if that is wanted.
function laidOut(part, fold) {
  const { rows, columns: across, blank } = facts.parts[part];
  const found = new Map();
  for (const row of rowsOf(part)) {
    const [, r, c] = at('place', row);
    const key = r * across.length + c;
    (found.get(key) ?? found.set(key, []).get(key)).push(row);
  }
  let [down, over] = [rows.map((label, k) => [label, [k]]), across.map((label, k) => [label, [k]])];
  const said = (r, c) => (found.has(r * across.length + c) ? word(made(found.get(r * across.length + c)).worst) : blank[`${r},`] || blank[`,${c}`] ? 'blank' : '');
  if (fold) {
    down = together(down, (r) => across.map((_, c) => said(r, c)).join('\t'));
    over = together(over, (c) => rows.map((_, r) => said(r, c)).join('\t'));
  }
  const place = ([, rs], [, cs]) => {
    const cells = rs.flatMap((r) => cs.flatMap((c) => found.get(r * across.length + c) ?? []));
    if (cells.length) return made(cells);
    const why = rs.map((r) => blank[`${r},`]).concat(cs.map((c) => blank[`,${c}`])).find(Boolean);
    return why ? { why } : null;
  };
  return { down, over, places: down.map((row) => over.map((column) => place(row, column))) };
}

function together(lines, signature) {
  const groups = new Map();
  for (const [label, [k]] of lines) {
    const key = [baseOf(label[0]), label[1], label[2].join(), signature(k)].join('\n');
    (groups.get(key) ?? groups.set(key, []).get(key)).push([label, k]);
  }
  return [...groups.values()].map((group) => {
    const shortest = group.reduce((a, b) => (b[0][0].length < a[0][0].length ? b : a));
    const more = group.length > 1 ? ` +${group.length - 1}` : '';
    return [[shortest[0][0] + more, shortest[0][1], shortest[0][2], group.map(([label]) => label[0]).join(', ')], group.map(([, k]) => k)];
  });
}

function heading([name, note, by, all], attributes) {
  const first = released(name.split(' ')[0]) || !facts.proposals.has(name.split(' ')[0]) ? [] : [' ', proposal()];
  return el('th', { ...attributes, title: all && all !== name ? all : null }, name, ...marks(by), ...first, note ? el('small', {}, versions(note)) : '');
}

function entry(place, part) {
  if (place === null) return el('td', {}, el('span', { class: 'none', title: 'not planned' }, '·'));
  if (place.why) return el('td', { title: place.why }, el('span', { class: 'unseen' }, 'cannot'));
  const many = place.rows.length;
  const setting = ['hazard', 'known'].includes(at('verdict', place.worst)) ? at('setting', place.worst) : [];
  const where_ = [...new Set(place.rows.map((row) => at('place', row).join('.')))].join('|');
  const provenances = Object.keys(facts.provenances).filter((p) => place.rows.some((row) => at('sent_by', row) === p || at('read_by', row) === p));
  const link = chip(place.worst, { href: many > 1 ? where({ place: where_ }) : opened(place.worst), title: at('reason', place.worst) });
  if (many > 1) link.append(' ', el('span', { class: 'n' }, place.alike < many ? `${place.alike}/${many}` : `×${many}`));
  return el('td', {}, link, facts.parts[part].marked ? marks(provenances) : '', setting.map((each) => el('small', {}, ` with ${each.split(';')[0]}`)));
}

function matrix(part, { down, over, places }, from = 0, to = over.length) {
  const { axes, title } = facts.parts[part];
  return el('table', { class: 'matrix' }, from || to < over.length ? el('caption', {}, `${title}: columns ${from + 1} to ${to} of ${over.length}`) : '',
    el('thead', {}, el('tr', {}, el('th', { class: 'corner', scope: 'col' }, `${axes[0]} ↓ \u2002 ${axes[1]} →`), over.slice(from, to).map(([label]) => heading(label, { scope: 'col' })))),
    el('tbody', {}, down.map(([label], r) => el('tr', {}, heading(label, { scope: 'row' }), places[r].slice(from, to).map((place) => entry(place, part))))));
}

function listing(part, most) {
  const rows = rowsOf(part);
  const body = table(facts.parts[part].title, ['Verdict', 'Sender → receiver', 'Framing', 'QEMU', 'Why'], rows.slice(0, most).map((row) => [
    chip(row), `${at('sender', row)} → ${at('receiver', row)}`, named(at('framing', row)), sides(at('dialect', row)).map(versions).join(' → '), at('reason', row)]));
  return rows.length > most ? [body, el('p', {}, el('a', { href: where({ part: String(part) }) }, `all ${cellsSaid(rows.length)}`))] : [body];
}

let folding = true;

function drawPart(holder) {
  const part = +holder.dataset.part;
  const inside = holder.querySelector('.inside');
  if (!facts.parts[part].axes) { inside.replaceChildren(...listing(part, 50)); return; }
  const region = el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': facts.parts[part].title }, matrix(part, laidOut(part, folding)));
  inside.replaceChildren(region);
  roving(region.querySelector('table'));
}

function makeParts() {
  facts.proposals = new Set(valuesOf('framing').filter((framing) => !released(framing)));
  const suites = new Map();
  facts.parts.forEach((part, k) => (suites.get(part.suite) ?? suites.set(part.suite, []).get(part.suite)).push(k));
  for (const [suite, parts] of suites) {
    $('parts').append(el('h3', {}, `Suite ${suite}`), ...parts.map(holder));
  }
  $('switches').append(box('fold', 'fold rows and columns that ended alike', folding));
  $('switches').hidden = false;
  $('switches').addEventListener('change', ({ target }) => {
    if (target.name !== 'fold') return;
    folding = target.checked;
    document.querySelectorAll('.part[open]').forEach(drawPart);
  });
}

function holder(part) {
  const tally = new Map();
  for (const row of rowsOf(part)) tally.set(at('verdict', row), (tally.get(at('verdict', row)) ?? 0) + 1);
  const said = Object.keys(facts.verdicts).filter((name) => tally.has(name)).map((name) => el('span', { class: `v ${name}` }, el('b', {}, facts.verdicts[name].symbol), ` ${number(tally.get(name))} ${facts.verdicts[name].word}`));
  const { title } = facts.parts[part];
  const made_ = el('details', { class: 'part', 'data-part': part }, el('summary', {}, title, facts.proposals.has(title.split(',')[0]) ? [' ', proposal()] : '', ' ', said), el('div', { class: 'inside' }));
  made_.addEventListener('toggle', () => { if (made_.open && !made_.querySelector('table')) drawPart(made_); });
  return made_;
}

const box = (name, text, checked) => el('label', {}, el('input', { type: 'checkbox', name, checked }), ` ${text} `);

// What was refused as predicted can be left out of every matrix at once.
function makeQuiet() {
  const places = [...document.querySelectorAll('.quiet')];
  for (const place of places) {
    place.append(box('quiet', 'hide what was refused as predicted', false));
    place.hidden = false;
    place.addEventListener('change', ({ target }) => {
      document.body.classList.toggle('hush', target.checked);
      for (const other of places) other.querySelector('input').checked = target.checked;
    });
  }
}

// A cell, opened: what was predicted and why, what was seen, both ends, times, files, how to see it again, neighbours.

const NEIGHBOURS = 30;

// Of these the reason is why it was predicted, unless the record has that beside it.
const AS_PREDICTED = new Set(['pass', 'refused', 'hazard']);

const item = (name, ...value) => [el('dt', {}, name), el('dd', {}, ...value)];

function open(row, address = true) {
  const dialog = $('cell');
  chosen.cell = at('id', row);
  if (address) writeAddress();
  dialog.replaceChildren(...contents(row));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  dialog.querySelector('h2').focus();
}

function contents(row) {
  return [toolbar(row), el('h2', { id: 'cell-h', tabindex: -1 }, chip(row, { href: null }), ' ', el('code', {}, at('id', row))), summary(row),
    prediction(row), observation(row), packets(row), pageMap(row), bothEnds(row), figures(row), files(row), neighbours(row), past(row)].flat();
}

function toolbar(row) {
  const place = listed.indexOf(row);
  const step = (by, text) => {
    const button = el('button', { type: 'button', disabled: place < 0 || listed[place + by] === undefined }, text);
    button.addEventListener('click', () => { go(place + by); open(listed[place + by]); });
    return button;
  };
  const close = el('button', { type: 'button', class: 'close' }, 'Close');
  close.addEventListener('click', () => $('cell').close());
  return el('p', { class: 'bar' }, step(-1, '↑ Previous'), step(1, '↓ Next'), close);
}

function summary(row) {
  const text = (name) => at(name, row);
  return el('dl', { class: 'summary' },
    item('Sender → receiver', text('sender'), ...ran(text('sent_by')), ' → ', text('receiver'), ...ran(text('read_by'))),
    item('Framing', ...sides(text('framing')).filter((f, k, all) => !k || f !== all[0]).flatMap((f, k) => [k ? ' read as ' : '', ...named(f)])),
    item('Generation', spoken(text('dialect'))),
    item('Scenario', `${text('suite')}: ${text('scenario')}, content ${text('corpus')}, ${size(text('page_size'))} pages, ${text('channels')} ${text('channels') === 1 ? 'channel' : 'channels'}, RAM blocks ${text('blocks')}, packets ${text('fill')}`));
}

const means = (outcome, row) => facts.means[at('suite', row)]?.[outcome] ?? facts.means[''][outcome];

function prediction(row) {
  const predicted = at('predicted', row);
  return [el('h3', {}, 'Predicted'), el('p', {}, el('b', {}, predicted), `: ${means(predicted, row)}`), ...chain(row),
    at('setting', row).length ? el('p', {}, el('b', {}, 'With '), at('setting', row).join(', ')) : null].filter(Boolean);
}

// The rules that hold, and what the one that decides says, link by link.
function chain(row) {
  const [rule, verdict] = [at('rule', row), at('verdict', row)];
  const why = at('predicted_because', row) ?? (AS_PREDICTED.has(verdict) ? at('reason', row) : null);
  if (why === null) {
    return [el('p', { class: 'chain' }, 'These results are from before they said why: ', el('code', {}, `multifd explain '${at('id', row)}'`), ' asks the oracle again.')];
  }
  const place = facts.rules.findIndex(([name]) => name === rule);
  const held = rule === 'all-hold' ? facts.rules : facts.rules.slice(0, Math.max(0, place));
  const links = why.split(/\n|; /).filter(Boolean);
  return [
    held.length ? el('details', { class: 'held' }, el('summary', {}, `${held.length} ${held.length === 1 ? 'rule holds' : 'rules hold'}${place < 0 ? '' : ' before it'}`),
      el('ol', {}, held.map(([name, holds]) => el('li', {}, el('b', {}, name), `: ${holds}`)))) : null,
    place < 0 ? null : el('p', {}, el('b', {}, 'Decided by rule '), el('a', { href: where({ rule }) }, rule)),
    el(links.length > 1 ? 'ol' : 'ul', { class: 'chain' }, links.map((link) => el('li', {}, link))),
  ].filter(Boolean);
}

// What disagreed, or why nothing was looked at; of what is known its findings say the rest.
function disagreed(row) {
  if (AS_PREDICTED.has(at('verdict', row)) && at('predicted_because', row) === null) return [];
  const found = at('issues', row);
  return at('reason', row).split('\n').filter((said) => !found.some((issue) => said.startsWith(`${issue}: `))).map((said) => el('p', { class: 'disagreed' }, said));
}

function observation(row) {
  const [observed, verdict, kind, error] = ['observed', 'verdict', 'kind', 'error'].map((name) => at(name, row));
  const list = (title, entries) => (entries?.length ? [el('p', {}, el('b', {}, title)), el('ul', {}, entries.map((entry) => el('li', {}, entry)))] : []);
  const integrity = at('integrity', row);
  const flips = integrity && `${integrity[0]} bits flipped one at a time: ${integrity[1]} detected, ${integrity[2]} harmless, ${integrity[3]} silent`;
  return [
    el('h3', {}, 'Observed'),
    el('p', {}, el('b', {}, observed), `: ${means(observed, row)} – ${facts.verdicts[verdict].word}: ${facts.verdicts[verdict].meaning}${kind ? `; ${kind}: ${facts.kinds[kind]}` : ''}`),
    ...disagreed(row),
    error ? el('pre', {}, error) : null,
    ...list('What differs', at('complaints', row)),
    ...list('What always holds, and did not', at('broken', row)),
    ...list('Not looked at', at('unseen', row)),
    flips ? el('p', {}, flips) : null,
    at('aftermath', row) ? el('p', {}, el('b', {}, 'What came after: '), at('aftermath', row)) : null,
    ...at('issues', row).map((issue) => el('p', {}, el('b', {}, 'Finding '), el('a', { href: where({ issue }) }, issue), facts.findings[issue] ? `: ${facts.findings[issue]}` : '')),
  ].filter(Boolean);
}

function packets(row) {
  const [lines, unnamed] = [at('packets', row), at('unnamed', row)];
  if (!lines.length && !unnamed) return [];
  const [why, commands] = unnamed ?? [null, []];
  return [el('h3', {}, lines.length ? 'Packets around it' : 'Why no packet is shown'), lines.length ? el('pre', {}, lines.join('\n')) : el('p', { class: 'unnamed' }, why),
    ...commands.map((command) => el('code', { class: 'run', tabindex: 0 }, whole(command, row)))];
}

function bothEnds(row) {
  const words = at('words', row);
  const of = (name) => {
    const peer = facts.peers.find((each) => each.name === name);
    return peer ? `${peer.version}${peer.device ? `, ${peer.device}` : ''}` : 'unknown';
  };
  const end = (role, name, provenance) => [role, [el('b', {}, name), ...ran(provenance)], of(name), at('device', row).filter(([side]) => side === role).map(([, device, said]) => el('div', {}, `${device}: ${said}`))];
  return [
    el('h3', {}, 'Both ends'),
    table('Both ends', ['End', 'Peer', 'Version', 'Hardware'], [end('sender', at('sender', row), at('sent_by', row)), end('receiver', at('receiver', row), at('read_by', row))]),
    el('p', { class: 'fine' }, `Hardware ${at('device_verdict', row)}: ${facts.devices[at('device_verdict', row)]}`),
    ...words.flatMap(([name, status, stderr, said]) => [
      el('p', {}, el('b', {}, name), status === null ? '' : `, exit status ${status}`, !stderr && !said.length ? ': said nothing' : ''),
      ...(stderr ? [el('pre', {}, stderr)] : []),
      ...(said.length ? [el('pre', {}, said.join('\n'))] : []),
    ]),
  ];
}

function figures(row) {
  const [memory, wire] = [at('bytes_memory', row), at('bytes_wire', row)];
  const spent = [['encoding', 'encode'], ['decoding', 'decode'], ['whole cell', 'wall'], ['CPU of the sender', 'sender_cpu'], ['CPU of the receiver', 'receiver_cpu']]
    .filter(([, name]) => at(name, row) !== null).map(([said, name]) => item(said, time(at(name, row))));
  return [el('h3', {}, 'Bytes and time'), el('dl', { class: 'summary' }, memory ? item('memory', size(memory)) : null,
    wire ? item('on the wire', `${size(wire)}${memory ? `, ${((100 * wire) / memory).toFixed(1)}% of memory` : ''}`) : null, spent)];
}

function files(row) {
  const artifacts = at('artifacts', row);
  return [
    el('h3', {}, 'See it again'), el('code', { class: 'run', tabindex: 0 }, whole(at('reproduce', row), row)),
    ...(artifacts.length ? [el('p', {}, el('b', {}, 'Files beside this report')), el('ul', {}, artifacts.map(([name, leads]) => [whole(name, row), leads]).map(([name, leads]) => el('li', {}, leads ? el('a', { href: beside(name) }, name) : name)))] : []),
  ];
}

// A file's address relative to this one: whatever it is called, it is a name and no address of another kind.
const beside = (name) => `./${name.split('/').map(encodeURIComponent).join('/')}`;

// Who else met one of the two ends like this, and what else these two did: each of the list differs in one thing.
function neighbours(row) {
  const alike = (names, differs) => {
    const found = [];
    const seen = new Set([differs(row)]);
    for (let each = 0; each < count && found.length < NEIGHBOURS; each++) {
      if (!names.every((name) => at(name, each) === at(name, row)) || seen.has(differs(each))) continue;
      seen.add(differs(each));
      found.push(each);
    }
    return found;
  };
  const list = (title, facets, names, differs) => {
    const found = alike(names, differs);
    if (!found.length) return [];
    const all = where(Object.fromEntries(facets.map((name) => [name, name === 'framing' ? sides(at(name, row))[0] : at(name, row)])));
    return [el('p', {}, el('b', {}, title), ' ', el('a', { href: all, class: 'fine' }, 'all of them')),
      el('p', { class: 'neighbours' }, found.map((each) => el('span', {}, chip(each), ` ${differs(each)}`)))];
  };
  const [sender, receiver, framing] = ['sender', 'receiver', 'framing'].map((name) => at(name, row));
  const said = (each) => [at('framing', each), sides(at('dialect', each)).filter((d, k, all) => !k || d !== all[0]).map(versions).join(' → '), at('scenario', each)].join(' · ');
  const lists = [
    list(`From ${sender} to others, as ${framing}`, ['suite', 'framing', 'sender'], ['suite', 'framing', 'sender'], (each) => at('receiver', each)),
    list(`To ${receiver} from others, as ${framing}`, ['suite', 'framing', 'receiver'], ['suite', 'framing', 'receiver'], (each) => at('sender', each)),
    list(`From ${sender} to ${receiver}, otherwise`, ['suite', 'sender', 'receiver'], ['suite', 'sender', 'receiver'], said),
  ].flat();
  return lists.length ? [el('h3', {}, 'Neighbours'), ...lists] : [];
}

// What became of the cell in other runs, the oldest first, and who the two ends were there.
function past(row) {
  const title = el('h3', {}, 'History');
  const again = (option) => el('code', {}, `multifd report DIR ${option}`);
  if (!facts.past) {
    return [title, el('p', {}, 'This report was made without other runs: ', again('--history FILE'), ' makes it with all that ', el('code', {}, 'multifd history add'), ' was given, ', again('--baseline BEFORE'), ' with one.')];
  }
  const { runs, left } = facts.past;
  const ended = at('past', row);
  if (!ended.length) return [title, el('p', {}, `None of ${number(runs.length)} other ${runs.length === 1 ? 'run' : 'runs'} had this cell.`)];
  const symbol = (verdict, kind) => el('span', { class: `v ${verdict}` }, el('b', {}, facts.verdicts[verdict].symbol), ` ${kind ?? facts.verdicts[verdict].word}`);
  const line_ = ({ id, started, peers }, verdict, kind) => [started.slice(0, 16).replace('T', ' '), [el('code', {}, id), id === facts.run.id ? ' this run' : ''], symbol(verdict, kind), peers[at('sender', row)] ?? '–', peers[at('receiver', row)] ?? '–'];
  const lines = ended.map(([run, verdict, kind]) => line_(runs[run], verdict, kind));
  if (!runs.some(({ id }) => id === facts.run.id)) {
    const peers = Object.fromEntries(facts.peers.map((peer) => [peer.name, `${peer.version}, ${peer.provenance}`]));
    lines.push(line_({ ...facts.run, peers }, at('verdict', row), at('kind', row)));
  }
  return [title, table('History', ['Started', 'Run', 'Ended', 'Sender was', 'Receiver was'], lines),
    left ? el('p', { class: 'fine' }, `${number(left)} older runs are left out; multifd history cell has them all.`) : null].filter(Boolean);
}

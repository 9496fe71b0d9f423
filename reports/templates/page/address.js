// What is chosen, and the address that says so: #?verdict=fail|error&text=zlib&cell=ID. Whoever has it sees the same.

// A facet is what cells are chosen by: its label, the columns that it looks into, and what a value there counts as.
const one = (value) => [value];
const ends = (value) => sides(value);
const FACETS = {
  verdict: { label: 'Verdict', of: { verdict: one } },
  suite: { label: 'Suite', of: { suite: one }, offered: true },
  peer: { label: 'Peer', of: { sender: one, receiver: one }, offered: true },
  sender: { label: 'Sender', of: { sender: one }, offered: true },
  receiver: { label: 'Receiver', of: { receiver: one }, offered: true },
  framing: { label: 'Method or framing', of: { framing: ends }, offered: true },
  sends: { label: 'Sent as', of: { framing: (value) => [sides(value)[0]] } },
  reads: { label: 'Read as', of: { framing: (value) => [sides(value)[1]] } },
  dialect: { label: 'QEMU generation', of: { dialect: ends }, offered: true, said: (value) => `${value} (${versions(value)})` },
  old: { label: 'Sender’s generation', of: { dialect: (value) => [sides(value)[0]] } },
  new: { label: 'Receiver’s generation', of: { dialect: (value) => [sides(value)[1]] } },
  version: { label: 'Peer’s version', of: { sender: (name) => versionOf(name), receiver: (name) => versionOf(name) }, offered: true },
  provenance: { label: 'Ran as', of: { sent_by: one, read_by: one }, offered: true },
  device: { label: 'Hardware', of: { device_verdict: one }, offered: true },
  scenario: { label: 'Scenario', of: { scenario: one }, offered: true },
  corpus: { label: 'Content', of: { corpus: one } },
  issue: { label: 'Finding', of: { issues: (names) => names } },
  reason: { label: 'Reason', of: { reason: one } },
  rule: { label: 'Decided by rule', of: { rule: one } },
  part: { label: 'Matrix', of: { place: (place) => (place ? [String(place[0])] : []) }, said: (value) => facts.parts[value]?.title ?? value },
  row: { label: 'Row', of: { place: (place) => (place ? [`${place[0]}.${place[1]}`] : []) }, hidden: true },
  place: { label: 'Place', of: { place: (place) => (place ? [place.join('.')] : []) }, said: () => 'of one place' },
};

let known;
function versionOf(name) {
  known ??= Object.fromEntries(facts.peers.map((peer) => [peer.name, peer.version]));
  return known[name] ? [known[name]] : [];
}

// Every value that a facet may have, in the order of the plan.
function valuesOf(facet) {
  const found = new Set();
  for (const [name, counts] of Object.entries(FACETS[facet].of)) {
    for (const value of columns[name].of) if (value !== null) counts(value).forEach((each) => each !== null && found.add(each));
  }
  return [...found];
}

const chosen = { facets: {}, text: '', cell: null };

function readAddress() {
  if (!location.hash.startsWith('#?')) return false;
  const asked = new URLSearchParams(location.hash.slice(2));
  const cell = asked.get('cell');
  const names = [...asked.keys()].filter((name) => name !== 'cell');
  if (names.length || !cell) {
    chosen.facets = {};
    for (const name of names) if (FACETS[name]) chosen.facets[name] = asked.get(name).split('|').filter(Boolean);
    chosen.text = asked.get('text') ?? '';
  }
  chosen.cell = cell;
  return true;
}

function writeAddress() {
  const said = new URLSearchParams();
  for (const [name, values] of Object.entries(chosen.facets)) if (values.length) said.set(name, values.join('|'));
  if (chosen.text) said.set('text', chosen.text);
  if (chosen.cell) said.set('cell', chosen.cell);
  const text = said.toString();
  history.replaceState(null, '', text ? `#?${text}` : '#cells');
}

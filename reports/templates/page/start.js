// Everything together: what is on the first screen at once, the rest when a reader comes near it, or prints.

const late = new Map();

function drawAll() {
  for (const draw of late.values()) draw();
  late.clear();
}

function whenNear(id, draw) {
  const target = $(id);
  if (!target) return;
  late.set(id, draw);
  const watch = new IntersectionObserver((seen) => {
    if (!seen.some((each) => each.isIntersecting)) return;
    watch.disconnect();
    if (late.delete(id)) draw();
  }, { rootMargin: '600px' });
  watch.observe(target);
}

function drawPeers() {
  $('peers').append(table('Peers', ['Name', 'Kind', 'Device', 'Ran as', 'Version', 'Roles', 'Capabilities'], facts.peers.map((peer) => [
    el('b', {}, peer.name), peer.kind, peer.device ?? '–', ran(peer.provenance), peer.version, peer.roles.join(', '),
    Object.entries(peer.capabilities).map(([name, value]) => el('span', { class: 'pair' }, el('i', {}, name), ` ${value} `))])));
}

function drawCannot() {
  $('cannot').append(table('What peers cannot do', ['Framing', 'Peer', 'Role', 'Reason'], facts.unable.map(([framing, peer, role, reason, tried]) => [
    named(framing), peer, role, tried ? reason : `${reason} (not tried)`])));
}

function follow() {
  const before = JSON.stringify([chosen.facets, chosen.text]);
  if (!readAddress()) return;
  if (JSON.stringify([chosen.facets, chosen.text]) !== before) filter();
  const row = chosen.cell === null ? -1 : columns.id.of.indexOf(chosen.cell);
  if (row >= 0) {
    open(row, false);
    writeAddress();
  } else {
    if ($('cell').open) $('cell').close();
    if (chosen.cell !== null) $('count').textContent = `No cell has the id ${chosen.cell}`;
    $('cells').scrollIntoView();
  }
}

async function start() {
  await unpack();
  makeFacets();
  makeList();
  makeKeys();
  makeQuiet();
  filter();
  whenNear('parts', makeParts);
  whenNear('plots', makeCosts);
  whenNear('peers', drawPeers);
  whenNear('cannot', drawCannot);
  addEventListener('hashchange', follow);
  addEventListener('beforeprint', beforePrint);
  addEventListener('afterprint', afterPrint);
  $('cell').addEventListener('close', () => { chosen.cell = null; writeAddress(); });
  $('cell').addEventListener('click', (event) => { if (event.target === $('cell')) $('cell').close(); });
  follow();
  document.documentElement.dataset.ready = 'yes';
}

start();

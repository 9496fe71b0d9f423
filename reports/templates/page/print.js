// On paper: everything unfolded, wide matrices in groups of columns under their heads, and the cells that need a reader.

const COLUMNS = 9;
const LINES = 2000;
let shut = [];
let led = [];

function beforePrint() {
  drawAll();
  shut = [...document.querySelectorAll('details:not([open])')];
  for (const part of document.querySelectorAll('.part')) {
    const number_ = +part.dataset.part;
    const inside = part.querySelector('.inside');
    if (!facts.parts[number_].axes) { inside.replaceChildren(...listing(number_, LINES)); continue; }
    const laid = laidOut(number_, folding);
    inside.replaceChildren();
    for (let from = 0; from < laid.over.length; from += COLUMNS) inside.append(matrix(number_, laid, from, Math.min(from + COLUMNS, laid.over.length)));
  }
  document.querySelectorAll('table.main, table.sets').forEach(splitInto);
  for (const each of shut) each.open = true;
  const quiet = new Set(['pass', 'refused', 'not-run', 'skip']);
  const worth = [...worstFirst(new Uint8Array(count).fill(1))].filter((row) => !quiet.has(at('verdict', row)));
  $('printed').replaceChildren(el('p', {}, worth.length > LINES ? `The ${number(LINES)} worst of ${cellsSaid(worth.length)} that were run and neither passed nor were refused as predicted:` : 'Cells that were run and neither passed nor were refused as predicted; all others stand in the matrices:'),
    table('Cells', ['Verdict', 'Cell', 'Why'], worth.slice(0, LINES).map((row) => [chip(row), el('code', {}, at('id', row)), at('error', row) ?? at('reason', row)])));
  unlink();
}

// What leads to the list of all cells leads nowhere on paper, and a thousand such links make a document slow.
function unlink() {
  led = [...document.querySelectorAll('a[href^="#?"]')].map((link) => [link, link.getAttribute('href')]);
  for (const [link] of led) link.removeAttribute('href');
}

// Copies of a table that stands in the page, each with its row heads and some of its columns.
function splitInto(whole_) {
  const wide = whole_.rows[0].cells.length;
  for (let from = 1; from < wide; from += COLUMNS) {
    const copy = whole_.cloneNode(true);
    copy.classList.add('copy');
    for (const row of copy.rows) [...row.cells].forEach((cell, k) => { if (k && (k < from || k >= from + COLUMNS)) cell.remove(); });
    whole_.before(copy);
  }
  whole_.classList.add('split');
}

function afterPrint() {
  for (const [link, href] of led) link.setAttribute('href', href);
  for (const each of shut) each.open = false;
  for (const copy of document.querySelectorAll('.copy')) copy.remove();
  for (const whole_ of document.querySelectorAll('.split')) whole_.classList.remove('split');
  for (const part of document.querySelectorAll('.part')) {
    part.querySelector('.inside').replaceChildren();
    if (part.open) drawPart(part);
  }
  $('printed').replaceChildren();
}

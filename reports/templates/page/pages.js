// A picture of where in memory pages are wrong: one square for each page, row after row, and the pattern in words.

const ACROSS = 64;
const MOST = 20000;

function pattern(stretches) {
  const starts = stretches.map(([, first]) => first);
  const gaps = new Set(starts.slice(1).map((first, k) => first - starts[k]));
  const total = stretches.reduce((sum, [, , pages]) => sum + pages, 0);
  const pages = `${number(total)} ${total === 1 ? 'page' : 'pages'}`;
  if (stretches.length === 1) return total === 1 ? `page ${number(starts[0])}` : `${pages} in one run, from page ${number(starts[0])}`;
  if (gaps.size === 1) return `${pages}, every ${[...gaps][0]} pages from page ${number(starts[0])}`;
  const last = stretches[stretches.length - 1];
  return `${pages} in ${number(stretches.length)} places between page ${number(starts[0])} and page ${number(last[1] + last[2] - 1)}`;
}

function pageMap(row) {
  const stretches = at('pages', row);
  if (!stretches.length) return [];
  const blocks = Map.groupBy ? Map.groupBy(stretches, ([block]) => block) : grouped(stretches);
  return [el('h3', {}, 'Where memory is wrong'), ...[...blocks].flatMap(([block, of]) => blockMap(block, of, at('page_size', row)))];
}

function grouped(stretches) {
  const found = new Map();
  for (const stretch of stretches) (found.get(stretch[0]) ?? found.set(stretch[0], []).get(stretch[0])).push(stretch);
  return found;
}

function blockMap(block, stretches, pageSize) {
  const end = Math.max(...stretches.map(([, first, pages]) => first + pages));
  const from = end > MOST ? Math.floor(Math.min(...stretches.map(([, first]) => first)) / ACROSS) * ACROSS : 0;
  const lines = Math.min(Math.ceil((end - from) / ACROSS), Math.ceil(MOST / ACROSS));
  const side = 7;
  const kinds = [...new Set(stretches.map(([, , , holds]) => holds))];
  const squares = [];
  for (const [, first, pages, holds] of stretches) {
    for (let page = first - from; page < first - from + pages && page < lines * ACROSS;) {
      const run = Math.min(ACROSS - (page % ACROSS), first - from + pages - page);
      squares.push(el('rect', { class: holds === 'older' ? 'older' : 'never', x: (page % ACROSS) * side, y: Math.floor(page / ACROSS) * side, width: run * side - 1, height: side - 1 }));
      page += run;
    }
  }
  const said = kinds.map((holds) => {
    const of = stretches.filter((stretch) => stretch[3] === holds);
    return el('li', {}, el('svg', { width: 10, height: 10, 'aria-hidden': 'true' }, el('rect', { class: holds === 'older' ? 'older' : 'never', width: 10, height: 10 })),
      ` ${holds === 'older' ? 'an earlier content, or zero' : 'what was never sent for them'}: ${pattern(of)}`);
  });
  return [
    el('p', {}, el('b', {}, `RAM block ${block}`), ` · pages of ${size(pageSize)}, ${ACROSS} in a row${from ? `, from page ${number(from)}` : ''} · offset of the first wrong page 0x${(stretches[0][1] * pageSize).toString(16)}`),
    el('ul', { class: 'plain' }, said),
    el('svg', { class: 'map', viewBox: `0 0 ${ACROSS * side} ${lines * side}`, role: 'img', 'aria-label': `Pages of ${block} that are wrong` },
      el('rect', { class: 'right', width: ACROSS * side, height: lines * side }), squares),
  ];
}

// The keyboard: a matrix is one stop of Tab and arrows move in it; / leads to the search.

function roving(table_) {
  const links = [...table_.querySelectorAll('td a')];
  links.forEach((link, k) => { link.tabIndex = k ? -1 : 0; });
  table_.addEventListener('keydown', (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const from = event.target.closest('td');
    if (!step || !from) return;
    event.preventDefault();
    let [row, column] = [from.parentElement.rowIndex, from.cellIndex];
    for (;;) {
      row += step[0];
      column += step[1];
      const cell = table_.rows[row]?.cells[column];
      if (!cell) return;
      const link = cell.querySelector('a');
      if (!link) continue;
      links.forEach((each) => { each.tabIndex = -1; });
      link.tabIndex = 0;
      link.focus();
      return;
    }
  });
}

function makeKeys() {
  document.querySelectorAll('table.matrix').forEach(roving);
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || $('cell').open || event.target.matches('input, select, textarea')) return;
    event.preventDefault();
    $('text').focus();
    $('text').select();
  });
}
